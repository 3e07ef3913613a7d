// Log lines about what single peers do wrong: some of each, not one for each of thousands.
import { type Logger, RateLimit } from '@sidestream/service';
import { type HostPort, sourceKey } from '@sidestream/sip';
import { hostPort } from '../domain/local-address.js';

/** Lines of one kind about one source, and about all: there may be thousands of sources, and they may be forged. */
const lines = { perSecond: 0.2, burst: 10 };
const linesOfAll = { perSecond: 2, burst: 50 };

export class PeerLog {
  readonly #log: Logger;
  readonly #limit = new RateLimit({ ...lines, clock: () => performance.now(), maxKeys: 1_000 });
  readonly #all = new RateLimit({ ...linesOfAll, clock: () => performance.now(), maxKeys: 10 });

  constructor(log: Logger) {
    this.#log = log;
  }

  warn(kind: string, remote: HostPort, facts: object, text: string): void {
    if (!this.#limit.take(`${kind} ${sourceKey(remote.host)}`) || !this.#all.take(kind)) return;
    this.#log.warn({ remote: hostPort(remote), ...facts }, text);
  }
}
