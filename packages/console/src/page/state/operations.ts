/**
 * What the console knows: every list, and how fresh it is. It follows the gateway's events and reads the lists that they concern; while
 * there are no events it reads again and again.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { ApiError } from '../api/api-error.js';
import type { ServerEvent } from '../api/event-stream.js';
import type { ListName, Lists } from '../api/shapes.js';
import { listNames, listsConcernedBy } from './changes.js';
import { pause } from './pause.js';
import { asApiError, Section } from './section.js';

/** What the console needs of the gateway to stay up to date. */
export interface Source {
  list<Name extends ListName>(name: Name): Promise<Lists[Name]>;
  follow(onOpen: () => void, onEvent: (event: ServerEvent) => void, signal: AbortSignal): Promise<void>;
}

/**
 * `live`: every change is seen at once. `polling`: the gateway answers, but sends no events. `offline`: it does not answer. `signed-out`
 * and `forbidden` are for good: nothing is asked any more.
 */
export type Connection = 'connecting' | 'live' | 'polling' | 'offline' | 'signed-out' | 'forbidden';

export interface OperationsTimes {
  /** Between two reads of everything: loads and ages have no events. */
  readonly everythingMs: number;
  /** Between two reads of the calls while no events come. */
  readonly callsMs: number;
  /** Before the stream is tried again; doubled each time, up to eight times this. */
  readonly retryMs: number;
}

const defaultTimes: OperationsTimes = { everythingMs: 10_000, callsMs: 2_000, retryMs: 1_000 };

export class Operations {
  readonly sections: { readonly [Name in ListName]: Section<Lists[Name]> };
  /** How fresh what is shown can be. */
  readonly connection: ReadonlySignal<Connection>;
  readonly #follows = signal(false);
  readonly #refused = signal<'signed-out' | 'forbidden' | undefined>(undefined);
  readonly #source: Source;
  readonly #times: OperationsTimes;
  readonly #stopped = new AbortController();
  #woken = new AbortController();

  constructor(source: Source, times: OperationsTimes = defaultTimes) {
    this.#source = source;
    this.#times = times;
    const section = <Name extends ListName>(name: Name) =>
      new Section(
        () => source.list(name),
        (error) => this.#failed(error),
      );
    this.sections = {
      calls: section('calls'),
      recorders: section('recorders'),
      relays: section('relays'),
      policies: section('policies'),
      registrations: section('registrations'),
      records: section('records'),
    };
    this.connection = computed(() => this.#refused.value ?? (this.#follows.value ? 'live' : this.#withoutEvents()));
  }

  /** Follows and reads until it is stopped, or may not any more. Never rejects. */
  async run(): Promise<void> {
    await Promise.all([this.#followAll(), this.#readAll()]);
  }

  /** Tries at once what waits: the network is back, or somebody is impatient. */
  retry(): void {
    this.#woken.abort();
    this.#woken = new AbortController();
  }

  stop(): void {
    this.#stopped.abort();
  }

  #withoutEvents(): Connection {
    const { value, error } = this.sections.calls.state.value;
    if (error?.code === 'offline') return 'offline';
    return value === undefined && error === undefined ? 'connecting' : 'polling';
  }

  async #followAll(): Promise<void> {
    const { signal: stopped } = this.#stopped;
    let waitMs = this.#times.retryMs;
    const onOpen = (): void => {
      waitMs = this.#times.retryMs;
      this.#follows.value = true;
      this.#refresh(listNames);
    };
    const onEvent = ({ event }: ServerEvent): void => this.#refresh(listsConcernedBy(event));
    while (!stopped.aborted) {
      try {
        await this.#source.follow(onOpen, onEvent, stopped);
      } catch (cause) {
        this.#failed(asApiError(cause));
      }
      this.#follows.value = false;
      this.#refresh(['calls']);
      await pause(waitMs, stopped, this.#woken.signal);
      waitMs = Math.min(waitMs * 2, this.#times.retryMs * 8);
    }
  }

  async #readAll(): Promise<void> {
    const { signal: stopped } = this.#stopped;
    while (!stopped.aborted) {
      this.#refresh(listNames);
      const nextAt = Date.now() + this.#times.everythingMs;
      while (!stopped.aborted && Date.now() < nextAt) {
        await pause(this.#times.callsMs, stopped, this.#woken.signal);
        if (!this.#follows.value) this.#refresh(['calls']);
      }
    }
  }

  #refresh(names: readonly ListName[]): void {
    if (this.#stopped.signal.aborted) return;
    for (const name of names) void this.sections[name].refresh();
  }

  #failed({ code }: ApiError): void {
    if (code !== 'signed-out' && code !== 'forbidden') return;
    if (!this.#stopped.signal.aborted) this.#refused.value = code;
    this.stop();
  }
}
