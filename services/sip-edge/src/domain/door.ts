// Who gets in, and with what. A peer with everything, by its address or by the name in its certificate; a stranger with nothing, or with
// calls where a trunk logs in. Knows no sockets, nor how often somebody may send: that is the gate's, which it has passed.
import { type Flow, type Reception, type SipRequest, type TransportProtocol, tagOf } from '@sidestream/sip';

export interface DoorOptions {
  /** Whether others than peers may call: signalling asks them who they are. */
  readonly callsFromStrangers: boolean;
  /** SIP domains, in lower case, whose certificate makes a peer of anybody on TLS. */
  readonly certificateNames: readonly string[];
  isPeer(address: string): boolean;
  /** Whether a request belongs to a dialog that there is. */
  isInDialog(request: SipRequest): boolean;
}

export class Door {
  readonly #options: DoorOptions;
  readonly #names: ReadonlySet<string>;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#names = new Set(options.certificateNames);
  }

  /** Whether anything of those who are no peers by their address is looked at. */
  opensToStrangers(protocol: TransportProtocol): boolean {
    return this.#options.callsFromStrangers || (protocol === 'tls' && this.#names.size > 0);
  }

  /** What becomes of a new request; of undefined, of a message that can't be read. A stranger hears nothing but answers to calls. */
  receive(request: SipRequest | undefined, { remote, tls }: Flow): Reception {
    const { callsFromStrangers, isPeer, isInDialog } = this.#options;
    if (isPeer(remote.host) || tls?.peerIdentities.some((name) => this.#names.has(name)) === true) return 'serve';
    if (request === undefined || !callsFromStrangers) return 'drop';
    if (tagOf(request.to) !== undefined) return isInDialog(request) ? 'serve' : 'drop';
    return request.method === 'INVITE' ? 'quietly' : 'drop';
  }
}
