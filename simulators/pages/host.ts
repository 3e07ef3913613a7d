/** What Dynamics 365 is to a dialer widget: frames it, serves its CIF library, takes the events, in good and in bad ways. */

export {};

interface HostSettings {
  readonly widgetUrl: string;
  /** How long an answer takes that comes too late. */
  readonly slowMs: number;
  readonly cifTimeoutMs: number;
}

/** What the library posts; the newest is `raiseEvent`. */
interface CifRequest {
  readonly messageType: 'raiseEvent';
  readonly messageData: ReadonlyMap<string, unknown>;
  readonly messageCorrelationId: string;
}

const maxRows = 200;
const settings: HostSettings = await (await fetch('settings.json')).json();
const query = new URLSearchParams(location.search);
const widgetOrigin = new URL(settings.widgetUrl).origin;
const frame = find('widget', HTMLIFrameElement);
const behaviour = find('behaviour', HTMLSelectElement);

behaviour.value = query.get('behaviour') ?? 'take';
behaviour.addEventListener('change', () => {
  if (behaviour.value === 'old') load();
});
addEventListener('message', ({ data, origin, source }: MessageEvent<CifRequest>) => {
  if (source !== frame.contentWindow || origin !== widgetOrigin || data.messageType !== 'raiseEvent') return;
  const answer = (success: boolean) =>
    frame.contentWindow?.postMessage({ messageCorrelationId: data.messageCorrelationId, success }, widgetOrigin);
  take(data.messageData);
  if (behaviour.value === 'slow') setTimeout(() => answer(true), settings.slowMs);
  else answer(behaviour.value !== 'refuse');
});
load();

function load(): void {
  const library = new URL('webresources/Widget/msdyn_ciLibrary.js', location.href);
  library.searchParams.set('timeoutMs', String(settings.cifTimeoutMs));
  if (behaviour.value === 'old') library.searchParams.set('without', 'raiseEvent');
  const widget = new URL(settings.widgetUrl);
  for (const name of ['seller', 'payload']) {
    const value = query.get(name);
    if (value) widget.searchParams.set(name, value);
  }
  widget.searchParams.set('base', location.origin);
  widget.searchParams.set('ucilib', library.href);
  frame.src = widget.href;
}

function take(data: ReadonlyMap<string, unknown>): void {
  const name = String(data.get('eventName'));
  const input = data.get('eventInput');
  const fields = (typeof input === 'string' ? JSON.parse(input) : input) as Record<string, unknown>;
  const row = document.createElement('tr');
  Object.assign(row.dataset, { event: name, call: String(fields['callId']), behaviour: behaviour.value });
  row.dataset['started'] = String(fields['isCallStarted'] ?? '');
  row.dataset['dates'] = String(Object.values(fields).some((value) => value instanceof Date));
  const { callId, ...rest } = fields;
  for (const text of [new Date().toISOString().slice(11, 23), name, String(callId), linesOf(rest)]) {
    const cell = document.createElement('td');
    cell.textContent = text;
    row.append(cell);
  }
  const rows = find('events', HTMLTableSectionElement);
  rows.prepend(row);
  while (rows.childElementCount > maxRows) rows.lastElementChild?.remove();
  if (behaviour.value !== 'take') return;
  find('conversation', HTMLElement).textContent =
    name === 'WIDGET_CALL_STARTED'
      ? 'Call: record button and live transcript shown'
      : 'Call ended: full summary offered';
}

function linesOf(fields: Record<string, unknown>): string {
  const text = (value: unknown) => (value instanceof Date ? value.toISOString() : String(value));
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${text(value)}`)
    .join('\n');
}

function find<E extends HTMLElement>(id: string, type: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${id}`);
  return element;
}
