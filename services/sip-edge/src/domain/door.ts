// Who gets in, and with what. A peer with everything; a stranger with nothing, or with calls where a trunk proves itself otherwise
// than by its address. Knows no sockets, nor how often somebody may send: that is the gate's, which it has passed.
import { type Reception, type SipRequest, tagOf } from '@sidestream/sip';

/** What the door has to know. */
export interface DoorFacts {
  isPeer(address: string): boolean;
  /** Whether a request belongs to a dialog that there is. */
  isInDialog(request: SipRequest): boolean;
}

export class Door {
  readonly #facts: DoorFacts;

  constructor(facts: DoorFacts) {
    this.#facts = facts;
  }

  /** What becomes of a new request; of undefined, of a message that can't be read. A stranger hears nothing but answers to calls. */
  receive(request: SipRequest | undefined, address: string): Reception {
    if (this.#facts.isPeer(address)) return 'serve';
    if (request === undefined) return 'drop';
    if (tagOf(request.to) !== undefined) return this.#facts.isInDialog(request) ? 'serve' : 'drop';
    return request.method === 'INVITE' ? 'quietly' : 'drop';
  }
}
