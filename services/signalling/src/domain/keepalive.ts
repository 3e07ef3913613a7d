// OPTIONS to the targets of trunks, so that a call need not find out that one is dead. Each target has at most one request under way.
import { requestUriAt, type Target, type Trunk } from '@sidestream/routing';
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import { within } from './deadline.js';
import { isThere } from './dialling.js';
import type { Trunking } from './ports.js';
import { nameOf, type TargetStates } from './target-states.js';

export interface KeepaliveOptions {
  readonly targets: Iterable<Target & { readonly trunk: Trunk }>;
  readonly trunking: Pick<Trunking, 'options'>;
  readonly states: TargetStates;
  readonly log: Logger;
  /** In [0, 1); for tests. */
  readonly random?: () => number;
}

/** A target that takes longer is no good for calls either. */
const answerDeadlineMs = 5_000;
/** Of the interval, to either side: instances that start together do not ask together for ever. */
const jitter = 0.1;

export class Keepalive {
  readonly #options: KeepaliveOptions;
  readonly #work = new AbortController();

  constructor(options: KeepaliveOptions) {
    this.#options = options;
  }

  /** Returns at once; asks until stop(). */
  start(): void {
    const asked = new Set<string>();
    for (const target of this.#options.targets) {
      const { keepalive } = target.trunk.config;
      if (keepalive === undefined || asked.has(nameOf(target))) continue;
      asked.add(nameOf(target));
      void this.#watch(target, keepalive);
    }
  }

  stop(): void {
    this.#work.abort();
  }

  async #watch(
    target: Target & { readonly trunk: Trunk },
    { intervalMs, failures }: { readonly intervalMs: number; readonly failures: number },
  ): Promise<void> {
    const { states, log, random = Math.random } = this.#options;
    const { signal } = this.#work;
    await pause(random() * intervalMs, signal);
    while (!signal.aborted) {
      const answered = await this.#ask(target, Math.min(answerDeadlineMs, intervalMs));
      if (signal.aborted) return;
      if (answered !== undefined && states.probed(target, answered, failures)) {
        const of = { trunk: target.trunk.name, target: nameOf(target) };
        if (answered) log.info(of, 'a target of a trunk is up again');
        else log.warn({ ...of, failures }, 'a target of a trunk is down: it is tried last');
      }
      await pause(intervalMs * (1 + jitter * (2 * random() - 1)), signal);
    }
  }

  /** Whether it is there and takes calls; undefined where nobody could ask. */
  async #ask(target: Target, deadlineMs: number): Promise<boolean | undefined> {
    try {
      const { protocol } = target;
      const uri = requestUriAt(target, '');
      const status = await this.#options.trunking.options(uri, protocol, within(this.#work.signal, deadlineMs));
      // 404 and 405 are as good as 200.
      return isThere(status);
    } catch (error) {
      return error instanceof SidestreamError && error.code === 'not-ready' ? undefined : false;
    }
  }
}
