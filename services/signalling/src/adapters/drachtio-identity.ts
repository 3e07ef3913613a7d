// Who the peer of a dialog says that it is, and whether it says something else than before: another From (RFC 4916) or another
// P-Asserted-Identity (RFC 3325). What it asserts for the first time is no change: many assert in later requests only what is known already.
import { parseNameAddr, parseUri } from '@sidestream/sip';
import type { SrfDialog, SrfMessage } from './drachtio-contract.js';

export class PeerIdentity {
  #user: string;
  #asserted: string | undefined;

  constructor({ type, req, res }: Pick<SrfDialog, 'type' | 'req' | 'res'>) {
    this.#user = userOf(type === 'uas' ? req.get('from') : res.get('to'));
    this.#asserted = (type === 'uas' ? req : res).get('p-asserted-identity')?.trim();
  }

  /** Takes what a request within the dialog says. True where it names somebody else. */
  changes(request: Pick<SrfMessage, 'get'>): boolean {
    const user = userOf(request.get('from'));
    const asserted = request.get('p-asserted-identity')?.trim() ?? this.#asserted;
    const isNew = user !== this.#user || (this.#asserted !== undefined && asserted !== this.#asserted);
    this.#user = user;
    this.#asserted = asserted;
    return isNew;
  }
}

/** Hosts change on the way, tags and names say nothing. */
function userOf(value: string | undefined): string {
  try {
    return parseUri(parseNameAddr(value ?? '').uri).user ?? '';
  } catch {
    return '';
  }
}
