/**
 * What the console knows: every list, and how fresh it is. It follows the gateway's events and reads the lists that they concern; the
 * calls it reads again and again, for the activity of their voices, and for a network that fails without a word.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { type ApiError, asApiError } from '../api/api-error.js';
import type { ServerEvent } from '../api/event-stream.js';
import type { CallRecord, ListName, Lists } from '../api/shapes.js';
import { listNames, listsConcernedBy } from './changes.js';
import { dated } from './instances.js';
import { pause } from './pause.js';
import { RecordBook } from './record-book.js';
import { Section } from './section.js';

/** What the console needs of the gateway to stay up to date. */
export interface Source {
  list<Name extends ListName>(name: Name): Promise<Lists[Name]>;
  recordsBefore(time: Date): Promise<readonly CallRecord[]>;
  follow(onOpen: () => void, onEvent: (event: ServerEvent) => void, signal: AbortSignal): Promise<void>;
}

/**
 * `live`: every change is seen at once. `polling`: the gateway answers, but sends no events. `unavailable`: it answers that it can't tell.
 * `offline`: it does not answer, or the browser has no network. `signed-out` and `forbidden` are for good: nothing is asked any more.
 */
export type Connection = 'connecting' | 'live' | 'polling' | 'unavailable' | 'offline' | 'signed-out' | 'forbidden';

export interface OperationsTimes {
  /** Between two reads of everything: loads and ages have no events. */
  readonly everythingMs: number;
  /** Between two reads of the calls while the page is looked at, or no events come; doubled with each failure, up to eight times this. */
  readonly callsMs: number;
  /** Before the stream is tried again; doubled each time, up to eight times this. */
  readonly retryMs: number;
  /** Between two reads of the calls, however many events come. */
  readonly callsRestMs: number;
  /** Between two reads of any other list, likewise: all together stay far below what a gateway lets one user ask, for several pages. */
  readonly restMs: number;
}

const defaultTimes: OperationsTimes = {
  everythingMs: 10_000,
  callsMs: 2_000,
  retryMs: 1_000,
  callsRestMs: 250,
  restMs: 2_000,
};
const mostTimes = 8;

export class Operations {
  readonly sections: { readonly [Name in ListName]: Section<Lists[Name]> };
  readonly records: RecordBook;
  /** How fresh what is shown can be. */
  readonly connection: ReadonlySignal<Connection>;
  /** When what is shown of the calls was read, Unix milliseconds, where it is not known any more how they are now. */
  readonly staleSince: ReadonlySignal<number | undefined>;
  /** Why it is not known how things are now; empty while it is. */
  readonly trouble: ReadonlySignal<string>;
  /** When it is tried again by itself, Unix milliseconds; undefined where nothing is waited for but the network. */
  readonly nextTryAt: ReadonlySignal<number | undefined>;
  readonly #follows = signal(false);
  readonly #hasNetwork = signal(true);
  readonly #nextTryAt = signal<number | undefined>(undefined);
  readonly #refused = signal<'signed-out' | 'forbidden' | undefined>(undefined);
  readonly #source: Source;
  readonly #isWatched: () => boolean;
  readonly #times: OperationsTimes;
  readonly #stopped = new AbortController();
  #woken = new AbortController();
  /** Aborted when the network is gone. */
  #networked = new AbortController();

  /** @param isWatched whether anybody can see the page */
  constructor(source: Source, isWatched: () => boolean = () => true, times: OperationsTimes = defaultTimes) {
    this.#source = source;
    this.#isWatched = isWatched;
    this.#times = times;
    const onError = (error: ApiError): void => this.#failed(error);
    const rests = { restMs: times.restMs, faultRestMs: Math.max(times.restMs, times.callsMs) };
    const section = <Name extends ListName>(name: Name) => new Section(() => source.list(name), onError, rests);
    const calls: Section<Lists['calls']> = new Section(
      async () => dated(await source.list('calls'), calls.state.value.value?.instances, Date.now()),
      onError,
      { restMs: times.callsRestMs, faultRestMs: times.callsMs },
    );
    this.records = new RecordBook((time) => source.recordsBefore(time));
    this.sections = {
      calls,
      recorders: section('recorders'),
      relays: section('relays'),
      policies: section('policies'),
      registrations: section('registrations'),
      records: new Section(async () => this.records.take(await source.list('records')), onError, rests),
    };
    this.connection = computed(() => this.#refused.value ?? this.#connected());
    this.staleSince = computed(() => {
      const { readAt } = calls.state.value;
      return ['connecting', 'live', 'polling'].includes(this.connection.value) ? undefined : readAt;
    });
    this.trouble = computed(() => {
      if (this.connection.value === 'signed-out') return 'Your session has ended.';
      if (!this.#hasNetwork.value) return 'This browser is offline.';
      return calls.state.value.error?.message ?? '';
    });
    this.nextTryAt = this.#nextTryAt;
  }

  /** Follows and reads until it is stopped, or may not any more. Never rejects. */
  async run(): Promise<void> {
    await Promise.all([this.#followAll(), this.#readAll(), this.#readCalls()]);
  }

  /** Tries at once what waits: somebody is impatient, or can see the page again. */
  retry(): void {
    for (const name of listNames) this.sections[name].hurry();
    this.#woken.abort();
    this.#woken = new AbortController();
  }

  /** Reads a page of older records. Never rejects. */
  async readOlder(): Promise<void> {
    await this.records.readOlder();
    this.sections.records.hurry();
    await this.#refreshed(['records']);
  }

  /** The browser has lost its network: nothing is asked, and what is shown is not current. */
  networkLost(): void {
    this.#hasNetwork.value = false;
    this.#networked.abort();
  }

  /** It is back. */
  networkBack(): void {
    this.#hasNetwork.value = true;
    this.#networked = new AbortController();
    this.retry();
  }

  stop(): void {
    this.#stopped.abort();
  }

  #connected(): Connection {
    const { value, error } = this.sections.calls.state.value;
    if (!this.#hasNetwork.value || error?.code === 'offline') return 'offline';
    if (error !== undefined) return 'unavailable';
    if (this.#follows.value) return 'live';
    return value === undefined ? 'connecting' : 'polling';
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
      if (this.#hasNetwork.value) await this.#follow(onOpen, onEvent);
      this.#follows.value = false;
      this.#refresh(['calls']);
      // Not all at once: a gateway that comes back has many pages.
      await pause(waitMs * (0.75 + Math.random() / 2), stopped, this.#woken.signal);
      waitMs = Math.min(waitMs * 2, this.#times.retryMs * mostTimes);
    }
  }

  async #follow(onOpen: () => void, onEvent: (event: ServerEvent) => void): Promise<void> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    const signals = [this.#stopped.signal, this.#networked.signal];
    for (const one of signals) one.addEventListener('abort', end);
    try {
      await this.#source.follow(onOpen, onEvent, ended.signal);
    } catch (cause) {
      this.#failed(asApiError(cause));
    } finally {
      for (const one of signals) one.removeEventListener('abort', end);
    }
  }

  async #readAll(): Promise<void> {
    const { signal: stopped } = this.#stopped;
    while (!stopped.aborted) {
      this.#refresh(listNames);
      await pause(this.#times.everythingMs, stopped, this.#woken.signal);
    }
  }

  async #readCalls(): Promise<void> {
    const { signal: stopped } = this.#stopped;
    const { calls } = this.sections;
    let failures = 0;
    while (!stopped.aborted) {
      const waitMs = this.#times.callsMs * Math.min(2 ** failures, mostTimes);
      this.#nextTryAt.value = this.#hasNetwork.value ? Date.now() + waitMs : undefined;
      await pause(waitMs, stopped, this.#woken.signal);
      if (this.#follows.value && !this.#isWatched()) continue;
      await this.#refreshed(['calls']);
      failures = calls.state.value.error === undefined ? 0 : failures + 1;
    }
  }

  #refresh(names: readonly ListName[]): void {
    void this.#refreshed(names);
  }

  async #refreshed(names: readonly ListName[]): Promise<void> {
    if (this.#stopped.signal.aborted || !this.#hasNetwork.value) return;
    await Promise.all(names.map((name) => this.sections[name].refresh()));
  }

  #failed({ code }: ApiError): void {
    if (code !== 'signed-out' && code !== 'forbidden') return;
    if (!this.#stopped.signal.aborted) this.#refused.value = code;
    this.stop();
  }
}
