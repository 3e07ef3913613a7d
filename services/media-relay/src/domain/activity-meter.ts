// How many packets of each voice flow at this moment, for whoever looks: measured when asked and never by itself, so that a relay which
// nobody looks at costs nothing. A rate is the difference of two looks at the engine's counters.
import { bounded, Limiter, pause } from '@sidestream/service';
import { type CopiedLine, copiedLines } from './copy-count.js';
import type { MediaSession } from './media-session.js';
import type { MediaEngine, Party, Traffic } from './ports.js';
import type { Relay } from './relay.js';

export type PacketRates = ReadonlyMap<Party, number>;

export interface SessionActivity {
  readonly session: string;
  /** Packets per second that come from each party. */
  readonly voices: PacketRates;
  /** Those that leave for a recorder, by fork; without the forks of which it is not known yet. */
  readonly forks: ReadonlyMap<string, PacketRates>;
}

export interface ActivityMeterOptions {
  readonly engine: Pick<MediaEngine, 'traffic'>;
  readonly relay: Pick<Relay, 'session' | 'engineProblem'>;
  /** Aborted when the relay stops. */
  readonly stopping: AbortSignal;
  /** Milliseconds of a clock that never steps back. */
  readonly clock?: () => number;
}

interface Look {
  readonly atMs: number;
  readonly voices: Readonly<Record<Party, number>>;
  /** Of the forks that media should leave on. */
  readonly forks: ReadonlyMap<string, readonly CopiedLine[]>;
}

interface Reading {
  readonly look: Look;
  /** Undefined after a first look. */
  readonly activity: SessionActivity | undefined;
}

/** Who looks more often sees the same. */
const freshMs = 900;
/** Who has not looked for so long looks for the first time. */
const forgottenMs = 15_000;
/** Between two looks of whoever waits; at 50 packets a second the rate is right to two. */
const secondLookMs = 500;
/** Questions to the engine at a time, whoever asks: calls need it as well. */
const atATime = 4;
/** The engine answers in 2 ms. */
const lookDeadlineMs = 500;
const bothParties: readonly Party[] = ['customer', 'seller'];

export class ActivityMeter {
  readonly #options: ActivityMeterOptions;
  readonly #clock: () => number;
  readonly #limiter = new Limiter(atATime);
  /** By session, of those that somebody looks at; they are forgotten with the session, or when nobody has looked for long. */
  readonly #readings = new Map<string, Reading>();
  readonly #looking = new Map<string, Promise<Reading | undefined>>();

  constructor(options: ActivityMeterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /**
   * What flows in these sessions; without those of which it is not known. Never rejects.
   * @param wait a session that nobody has looked at lately is looked at a second time
   */
  async measure(sessions: readonly string[], wait: boolean, signal: AbortSignal): Promise<SessionActivity[]> {
    this.#forget();
    if (this.#options.relay.engineProblem !== undefined) return [];
    const first = await this.#lookAt(sessions, freshMs, signal);
    const unknown = sessions.filter((id) => first.has(id) && first.get(id)?.activity === undefined);
    if (!wait || unknown.length === 0) return activities(first);
    await pause(secondLookMs, signal);
    return activities(new Map([...first, ...(await this.#lookAt(unknown, secondLookMs / 2, signal))]));
  }

  /** @param maxAgeMs a reading that is younger does */
  async #lookAt(sessions: readonly string[], maxAgeMs: number, signal: AbortSignal): Promise<Map<string, Reading>> {
    const due = [...new Set(sessions)];
    const found = new Map<string, Reading>();
    const work = async (): Promise<void> => {
      for (let id = due.shift(); id !== undefined && !signal.aborted; id = due.shift()) {
        const reading = await this.#read(id, maxAgeMs);
        if (reading !== undefined) found.set(id, reading);
      }
    };
    await Promise.all(Array.from({ length: atATime }, work));
    return found;
  }

  /** Whoever asks while the engine is being asked gets the same answer. */
  #read(id: string, maxAgeMs: number): Promise<Reading | undefined> {
    const known = this.#readings.get(id);
    if (known !== undefined && this.#clock() - known.look.atMs < maxAgeMs) return Promise.resolve(known);
    const looking = this.#looking.get(id) ?? this.#look(id, known).finally(() => this.#looking.delete(id));
    this.#looking.set(id, looking);
    return looking;
  }

  async #look(id: string, before: Reading | undefined): Promise<Reading | undefined> {
    const { engine, relay, stopping } = this.#options;
    if (relay.session(id) === undefined) return undefined;
    try {
      const traffic = await this.#limiter.run(() =>
        bounded(lookDeadlineMs, stopping, (signal) => engine.traffic(id, signal)),
      );
      // As it is now, after the engine's answer: of what was paused meanwhile nothing leaves.
      const state = relay.session(id);
      if (state === undefined) return undefined;
      const look = lookOf(state, traffic, this.#clock());
      const reading = { look, activity: before && activityOf(state, before.look, look) };
      this.#readings.set(id, reading);
      return reading;
    } catch {
      // What cannot be measured is not known; that the engine has lost a session, or is away, others find and tell.
      return undefined;
    }
  }

  #forget(): void {
    const oldest = this.#clock() - forgottenMs;
    for (const [id, { look }] of this.#readings)
      if (look.atMs < oldest || this.#options.relay.session(id) === undefined) this.#readings.delete(id);
  }
}

function activities(readings: ReadonlyMap<string, Reading>): SessionActivity[] {
  return [...readings.values()].flatMap(({ activity }) => (activity === undefined ? [] : [activity]));
}

function lookOf(state: MediaSession, traffic: Traffic, atMs: number): Look {
  const answered = [...state.forks].filter(([, { phase }]) => phase === 'answered');
  const forks = new Map(answered.map(([id, fork]) => [id, copiedLines(fork, traffic, id)]));
  return { atMs, voices: traffic.voices, forks };
}

function activityOf({ id, forks }: MediaSession, before: Look, after: Look): SessionActivity {
  const perSecond = (packets: number) => Math.max(0, packets) / ((after.atMs - before.atMs) / 1_000);
  const voices = bothParties.map((party) => [party, perSecond(after.voices[party] - before.voices[party])] as const);
  const copied = [...forks].flatMap(([fork, { phase, parties }]) => {
    if (phase === 'offered' || phase === 'paused')
      return [[fork, new Map(parties.map((party) => [party, 0]))] as const];
    const [first, last] = [before.forks.get(fork), after.forks.get(fork)];
    // It was answered between the two looks, or a stop of it was not confirmed: how much has left is not known.
    if (first === undefined || last === undefined) return [];
    return [[fork, new Map(last.map((line) => [line.party, perSecond(left(line, first))]))] as const];
  });
  return { session: id, voices: new Map(voices), forks: new Map(copied) };
}

/** What came and could be sent. Nothing leaves on a line that the recorder refuses, or that the engine does not fork. */
function left({ party, came, taken, failed }: CopiedLine, before: readonly CopiedLine[]): number {
  const first = before.find((line) => line.party === party);
  if (!taken || failed === undefined || first === undefined) return 0;
  return came - first.came - Math.max(0, failed - (first.failed ?? 0));
}
