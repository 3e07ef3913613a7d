/** What is open on the page, so that it is so again after a reload, or after a sign-in that led away from it. As long as the browser's tab. */
import { effect, type Signal, signal } from '@preact/signals';

const key = 'view';

export class ViewMemory {
  /** The call that is open, by its id. */
  readonly openedCall: Signal<string | undefined> = signal(undefined);
  /** What is searched for among live calls and among ended ones. */
  readonly callWords: Signal<string> = signal('');
  readonly recordWords: Signal<string> = signal('');

  constructor(storage: Storage) {
    const { openedCall, callWords, recordWords } = read(storage);
    if (typeof openedCall === 'string') this.openedCall.value = openedCall;
    if (typeof callWords === 'string') this.callWords.value = callWords;
    if (typeof recordWords === 'string') this.recordWords.value = recordWords;
    effect(() => {
      const view = {
        openedCall: this.openedCall.value,
        callWords: this.callWords.value,
        recordWords: this.recordWords.value,
      };
      storage.setItem(key, JSON.stringify(view));
    });
  }

  /** The next user of the tab begins anew. */
  clear(): void {
    this.openedCall.value = undefined;
    this.callWords.value = '';
    this.recordWords.value = '';
  }
}

function read(storage: Storage): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(storage.getItem(key) ?? '{}'));
  } catch {
    return {};
  }
}
