// The numbers of trunks that log in. Labels are names of the configuration and closed sets.
import type { DigestRefusal } from '@sidestream/sip';
import { Counter, type Registry } from 'prom-client';

export class LoginMetrics {
  readonly #proofs: Counter<'trunk' | 'outcome'>;

  constructor(metrics: Registry) {
    this.#proofs = new Counter({
      name: 'sidestream_trunk_logins_total',
      help: 'INVITEs that had to log in, by outcome; trunk is empty where it is not known yet.',
      labelNames: ['trunk', 'outcome'],
      registers: [metrics],
    });
  }

  proof(trunk: string, outcome: 'accepted' | DigestRefusal): void {
    this.#proofs.inc({ trunk, outcome });
  }
}
