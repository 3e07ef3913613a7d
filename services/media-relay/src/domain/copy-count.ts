// How many packets of each voice were copied to a recorder, of how many. The engine does not count what it sends (10.5): it is what came
// from the party while the fork was answered, less what the engine failed to pass on. A packet or two at each border may be counted wrongly.
import type { Fork } from './media-session.js';
import type { Party, Traffic } from './ports.js';

/** One media line of a fork, as the engine has counted it so far. */
export interface CopiedLine {
  readonly party: Party;
  /** Packets that the party has sent to the engine. */
  readonly came: number;
  /** Whether the recorder takes it. */
  readonly taken: boolean;
  /** Those that could not be sent to the recorder; undefined: the engine does not fork this line at all. */
  readonly failed: number | undefined;
}

/** Packets of one voice, in all stretches in which a recorder had answered. */
export interface VoiceCount {
  /** That the party sent. */
  readonly due: number;
  /** That left. */
  readonly copied: number;
}

/** The fork's lines. One that the engine does not know any more is one that nothing leaves on. */
export function copiedLines({ parties, refusals }: Fork, { voices, forks }: Traffic, fork: string): CopiedLine[] {
  const known = forks.get(fork);
  const places = refusals.flatMap((refusal, index) => (refusal === undefined ? [index] : []));
  return parties.map((party, index) => {
    const line = known?.lines[places[index] ?? -1];
    const failed = known?.parties.includes(party) === true ? line?.failed : undefined;
    return { party, came: voices[party], taken: line?.taken !== false, failed };
  });
}

/** Of one fork in its life: stretches in which it was answered. What the engine could not be asked for makes all unknown. */
export class CopyCount {
  readonly #voices = new Map<Party, VoiceCount>();
  #began: Promise<readonly CopiedLine[] | undefined> | undefined;
  #known = true;

  /** Whether a stretch has begun and is not over. */
  get counting(): boolean {
    return this.#began !== undefined;
  }

  /** A stretch begins. @param reading what is counted now; undefined if the engine did not tell */
  began(reading: Promise<readonly CopiedLine[] | undefined>): void {
    this.#began = reading;
  }

  /** The stretch is over, if there is one. */
  async ended(reading: Promise<readonly CopiedLine[] | undefined>): Promise<void> {
    const began = this.#began;
    this.#began = undefined;
    if (began === undefined) return;
    const [before, after] = await Promise.all([began, reading]);
    if (before === undefined || after === undefined) this.#known = false;
    for (const line of after ?? []) {
      const first = before?.find(({ party }) => party === line.party);
      // Nobody knows when the engine has ceased to fork it: by itself, or because it was told to stop just before it was asked.
      if (first?.taken === true && first.failed !== undefined && line.failed === undefined) this.#known = false;
      this.#add(line, first);
    }
  }

  /** By party; undefined where something of it is not known. */
  get voices(): ReadonlyMap<Party, VoiceCount> | undefined {
    return this.#known ? this.#voices : undefined;
  }

  #add({ party, came, taken, failed }: CopiedLine, first: CopiedLine | undefined): void {
    const due = Math.max(0, came - (first?.came ?? 0));
    // A stretch may end with another answer, which counts for the next one.
    const sent = (first?.taken ?? taken) && failed !== undefined ? due - Math.max(0, failed - (first?.failed ?? 0)) : 0;
    const before = this.#voices.get(party);
    this.#voices.set(party, { due: (before?.due ?? 0) + due, copied: (before?.copied ?? 0) + Math.max(0, sent) });
  }
}
