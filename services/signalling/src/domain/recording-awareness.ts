// What a record-aware user agent is told of recording, in the SDP that we send it (RFC 7866 §6.2, §6.3). Text in, text out: it knows
// nothing of legs, and touches no description of a user agent that is not aware.
import { inLinesOf, originOf, withOrigin } from './carried-description.js';

/** `a=record`: whether the call is being recorded. */
export type RecordIndication = 'on' | 'off' | 'paused';

/** Whether the values of Supported name the option tag of RFC 7866 §11.1.2. */
export function isRecordAware(supported: string | undefined): boolean {
  return (supported ?? '').split(',').some((tag) => tag.trim().toLowerCase() === 'record-aware');
}

/** What the phases of a call's recordings mean for its parties: somebody records, or would as soon as it is resumed. */
export function indicationOf(phases: readonly string[]): RecordIndication {
  if (phases.includes('active')) return 'on';
  return phases.includes('paused') ? 'paused' : 'off';
}

/**
 * The description with this indication in each media section. Where the other side says there that it records, too, the stronger one
 * of both stands.
 */
export function withIndication(sdp: string, indication: RecordIndication): string {
  const marked: string[] = [];
  let section: RecordIndication | undefined;
  const close = () => section !== undefined && marked.push(`a=record:${section}`);
  for (const line of sdpLines(sdp)) {
    const relayed = /^a=record:(on|off|paused)$/.exec(line)?.[1] as RecordIndication | undefined;
    if (line.startsWith('m=')) {
      close();
      section = indication;
    }
    if (relayed === undefined) marked.push(line);
    else if (section !== undefined) section = indicationOf([relayed, section].map(phaseOf));
  }
  close();
  return `${marked.join('\r\n')}\r\n`;
}

/**
 * Whether two descriptions of one peer ask for media at the same place and in the same direction. A new version, what is said of
 * recording, or fewer codecs in an answer than in an offer is no change that the other leg must hear of.
 */
export function sameMedia(one: string, other: string): boolean {
  const places = (sdp: string) =>
    sdpLines(sdp)
      .filter((line) => /^(c=|m=|a=(sendonly|recvonly|inactive)$|a=rtcp:)/.test(line))
      .map((line) => (line.startsWith('m=') ? line.split(' ', 3).join(' ') : line));
  return places(one).join('\n') === places(other).join('\n');
}

/** The description without what it says of a hold: whoever is offered it anew is to speak and to be heard. */
export function withoutHold(sdp: string): string {
  return sdp.replace(/^a=(?:sendonly|recvonly|inactive)\r?\n/gm, '');
}

/**
 * The descriptions that one leg is given. An aware one hears of recording in each, and since its descriptions are not the relay's own,
 * it counts their versions itself (RFC 3264 §8: one more for each change).
 */
export class LegDescriptions {
  readonly #aware: boolean;
  /** Who was told nothing takes it that nobody records. */
  #told: RecordIndication | undefined = 'off';
  #last: { readonly content: string; readonly version: bigint } | undefined;
  /** What a leg had been given that has come here from another media session. */
  #carried: string | undefined;

  /** @param given what the leg has been given before it was known to be aware */
  constructor(aware: boolean, given = '') {
    this.#aware = aware;
    const version = originOf(given)?.version;
    if (version !== undefined) this.#last = { content: contentOf(given), version };
  }

  /**
   * Those of a leg that goes over to another media session, which its peer need not know: origin and media lines stay.
   * @param given the last one, without what we add of recording
   */
  carried(given: string): LegDescriptions {
    const next = new LegDescriptions(this.#aware, given);
    // Those of a leg that is not aware were not counted so far.
    if (this.#aware || this.#carried !== undefined) next.#last = this.#last ?? next.#last;
    next.#told = this.#told;
    next.#carried = this.#carried ?? given;
    return next;
  }

  /** Whether the leg does not know this yet. */
  owes(indication: RecordIndication): boolean {
    return this.#aware && this.#told !== indication;
  }

  /** The leg did not take the last description: what it was told counts for nothing. */
  forget(): void {
    this.#told = undefined;
  }

  /** The description as the leg gets it now. */
  describe(sdp: string, indication: RecordIndication): string {
    const carried = this.#carried;
    if (!this.#aware && carried === undefined) return sdp;
    this.#told = indication;
    const placed = carried === undefined ? sdp : inLinesOf(carried, sdp);
    const marked = this.#aware ? withIndication(placed, indication) : placed;
    const given = originOf(marked);
    if (given === undefined) return marked;
    const content = contentOf(marked);
    // The versions of another session say nothing.
    const version = this.#version(content, carried === undefined ? given.version : 0n);
    this.#last = { content, version };
    return withOrigin(marked, { ...((carried && originOf(carried)) || given), version });
  }

  #version(content: string, given: bigint): bigint {
    const last = this.#last;
    if (last === undefined) return given;
    if (last.content === content) return last.version;
    return given > last.version ? given : last.version + 1n;
  }
}

function contentOf(sdp: string): string {
  return sdp.replace(/^o=.*$/m, '');
}

function phaseOf(indication: RecordIndication): string {
  return indication === 'on' ? 'active' : indication;
}

function sdpLines(sdp: string): string[] {
  return sdp.split(/\r?\n/).filter((line) => line !== '');
}
