// How the parties of a call stand in logs and traces: as keyed hashes, unless the configuration wants them shown in logs. Until the process ends,
// the same international number is always the same one, whoever brings the call; of others the same URI is.
import { createHmac, randomBytes } from 'node:crypto';
import { normaliseNumber } from '@sidestream/policy';
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

  hash({ uri, user }: Identity): string {
    const who = normaliseNumber(user) ?? uri;
    return createHmac('sha256', this.#key).update(who).digest('hex').slice(0, 16);
  }

  #logged(party: Identity): string {
    if (party.anonymous) return 'anonymous';
    return this.#inLogs === 'shown' ? party.uri : this.hash(party);
  }
}
