// A stand-in for msdyn_ciLibrary.js with what a dialer uses of it. Like the real one it is a classic script, posts a Map to the topmost
// window, gives up after 10 s, and says CIFInitDone right after it has run.
{
  const script = document.currentScript as HTMLScriptElement;
  const host = script.getAttribute('data-crmurl') ?? '';
  const settings = new URL(script.src).searchParams;
  const timeoutMs = Number(settings.get('timeoutMs') ?? 10_000);
  const pending = new Map<string, (answer: { success: boolean }) => void>();

  addEventListener('message', ({ data, origin, source }) => {
    if (origin === host && source === window.top) pending.get(data.messageCorrelationId)?.(data);
  });

  const raiseEvent = (eventName: string, eventInput: unknown, correlationId = '') =>
    new Promise<boolean>((resolve, reject) => {
      const messageCorrelationId = crypto.randomUUID();
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        pending.delete(messageCorrelationId);
        finish();
      };
      const late = () => settle(() => reject(new Error(`no answer within ${timeoutMs} ms`)));
      const timer = setTimeout(late, timeoutMs);
      pending.set(messageCorrelationId, ({ success }) =>
        settle(() => (success ? resolve(true) : reject(new Error('the app refused the event')))),
      );
      const messageData = new Map<string, unknown>(Object.entries({ eventName, eventInput, correlationId }));
      window.top?.postMessage({ messageType: 'raiseEvent', messageData, messageCorrelationId }, host);
    });

  const framework = settings.get('without') === 'raiseEvent' ? {} : { raiseEvent };
  Object.assign(window, { Microsoft: { CIFramework: framework } });
  setTimeout(() => dispatchEvent(new Event('CIFInitDone')), 0);
}
