// How many packets of each voice were copied to a recorder. The engine does not count what it sends (10.5): it is what came from the party
// while the fork was answered, less what could not be sent. A packet or two at each border may be counted wrongly.
import type { Fork } from './media-session.js';
import type { Party, Traffic } from './ports.js';

/** One media line of a fork that the recorder takes, as the engine has counted it so far. */
export interface CopiedLine {
  readonly party: Party;
  /** Packets that the party has sent to the engine. */
  readonly came: number;
  /** Those that could not be sent to the recorder; undefined: the engine does not fork this line at all. */
  readonly failed: number | undefined;
}

/** The lines that the recorder takes. A line that the engine does not know any more is one that nothing leaves on. */
export function copiedLines({ parties, refusals }: Fork, { voices, forks }: Traffic, fork: string): CopiedLine[] {
  const known = forks.get(fork);
  const places = refusals.flatMap((refusal, index) => (refusal === undefined ? [index] : []));
  return parties.flatMap((party, index) => {
    const line = known?.lines[places[index] ?? -1];
    if (line?.taken === false) return [];
    return [{ party, came: voices[party], failed: known?.parties.includes(party) === true ? line?.failed : undefined }];
  });
}

/** Of one fork in its life: stretches in which it was answered. What the engine could not be asked for makes all unknown. */
export class CopyCount {
  readonly #copied = new Map<Party, number>();
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
    for (const { party, came, failed } of after ?? []) {
      const first = before?.find((line) => line.party === party);
      const tried = failed === undefined ? 0 : came - (first?.came ?? 0) - Math.max(0, failed - (first?.failed ?? 0));
      this.#copied.set(party, (this.#copied.get(party) ?? 0) + Math.max(0, tried));
    }
  }

  /** Packets by party; undefined where something of it is not known. */
  get copied(): ReadonlyMap<Party, number> | undefined {
    return this.#known ? this.#copied : undefined;
  }
}
