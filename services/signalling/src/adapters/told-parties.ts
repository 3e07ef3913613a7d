// How the parties of a call stand in logs and traces: as keyed hashes, the same number always the same one until the process ends, unless the
// configuration wants them shown in logs.
import { createHmac, randomBytes } from 'node:crypto';
import type { SidestreamConfig } from '@sidestream/service';
import type { CallParties, Identity } from '../domain/parties.js';

export class ToldParties {
  readonly #inLogs: SidestreamConfig['log']['parties'];
  readonly #key = randomBytes(32);

  constructor(inLogs: SidestreamConfig['log']['parties']) {
    this.#inLogs = inLogs;
  }

  /** For a log line. Who wants privacy is not shown in any case. */
  logged({ calling, called }: Pick<CallParties, 'calling' | 'called'>): {
    readonly calling: string;
    readonly called: string;
  } {
    return { calling: this.#logged(calling), called: this.#logged(called) };
  }

  hash({ uri }: Identity): string {
    return createHmac('sha256', this.#key).update(uri).digest('hex').slice(0, 16);
  }

  #logged(party: Identity): string {
    if (party.anonymous) return 'anonymous';
    return this.#inLogs === 'shown' ? party.uri : this.hash(party);
  }
}
