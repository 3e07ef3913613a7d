/**
 * What is open on the page, so that it is so again after a reload, or after a sign-in that led away from it. As long as the browser's tab,
 * and for the same user.
 */
import { effect, type Signal, signal } from '@preact/signals';

const key = 'view';

export class ViewMemory {
  /** The call that is open, by its id. */
  readonly openedCall: Signal<string | undefined> = signal(undefined);
  /** What is searched for among live calls and among ended ones. */
  readonly callWords: Signal<string> = signal('');
  readonly recordWords: Signal<string> = signal('');
  readonly #owner = signal('');

  constructor(storage: Storage) {
    const { owner, openedCall, callWords, recordWords } = read(storage);
    if (typeof owner === 'string') this.#owner.value = owner;
    if (typeof openedCall === 'string') this.openedCall.value = openedCall;
    if (typeof callWords === 'string') this.callWords.value = callWords;
    if (typeof recordWords === 'string') this.recordWords.value = recordWords;
    effect(() => {
      const view = {
        owner: this.#owner.value,
        openedCall: this.openedCall.value,
        callWords: this.callWords.value,
        recordWords: this.recordWords.value,
      };
      storage.setItem(key, JSON.stringify(view));
    });
  }

  /** Somebody has signed in: another one than before, whose session may have ended without a word, finds nothing of theirs. */
  enter(owner: string): void {
    if (owner !== this.#owner.value) this.clear();
    this.#owner.value = owner;
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
