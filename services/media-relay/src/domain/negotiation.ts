// What the two parties of a session have described of their media, within their terms: what the engine hears of each, and what each is
// told. Pure state: it knows neither the engine nor the order of commands.
import { SidestreamError } from '@sidestream/service';
import { codecsForAnswer, codecsForOffer, codecsIn } from './codec-choice.js';
import { PartyDescription } from './party-description.js';
import type { Party, PartyTerms, Relaying } from './ports.js';
import { type Layout, readDescription } from './session-description.js';

/** An offer as the engine is to hear it. */
export interface ReadOffer extends Relaying {
  readonly by: Party;
  readonly sdp: string;
  readonly layout: Layout;
}

interface Said {
  /** How the party is to be offered its media; undefined after plain RTP: as its terms say. */
  readonly srtp: PartyTerms['srtp'] | undefined;
  readonly codecs: readonly string[];
}

const anything: PartyTerms = { codecs: [], srtp: 'off' };

export class Negotiation {
  #terms: Readonly<Record<Party, PartyTerms>> = { customer: anything, seller: anything };
  readonly #towards: Readonly<Record<Party, PartyDescription>> = {
    customer: new PartyDescription(),
    seller: new PartyDescription(),
  };
  readonly #said: Partial<Record<Party, Said>> = {};
  /** The engine translates between the parties. */
  #translated = false;
  #keyed = false;

  /** A party has keys, or has been offered some. */
  get keyed(): boolean {
    return this.#keyed;
  }

  /**
   * @param terms of parties whose terms are new; the others keep theirs.
   * @throws SidestreamError not-acceptable-here
   */
  readOffer(by: Party, sdp: string, terms: Partial<Record<Party, PartyTerms>>): ReadOffer {
    this.#terms = { ...this.#terms, ...terms };
    const [own, answerer] = [this.#terms[by], other(by)];
    const { sdp: heard, layout } = readDescription(sdp);
    requireKeys(own, heard);
    const chosen = codecsForOffer(heard, own.codecs, this.#codecsOf(answerer));
    // Who came with keys is offered keys, whatever its terms say.
    const srtp = this.#said[answerer]?.srtp ?? this.#terms[answerer].srtp;
    return { by, ...chosen, srtp, layout };
  }

  /** The engine has heard an offer and replied. @returns what the other party is offered */
  offered({ by, sdp, layout, transcode }: ReadOffer, reply: string): string {
    this.#translated = transcode.length > 0;
    this.#towards[by].offers(layout);
    return this.#heard(by, sdp, reply);
  }

  /** @returns the answer as the engine is to hear it. @throws SidestreamError not-acceptable-here */
  readAnswer(by: Party, sdp: string): string {
    const { sdp: heard } = readDescription(sdp);
    requireKeys(this.#terms[by], heard);
    return codecsForAnswer(heard, this.#terms[by].codecs);
  }

  /** The engine has heard an answer and replied. @returns what answers the other party */
  answered(by: Party, sdp: string, reply: string): string {
    return this.#heard(by, sdp, reply);
  }

  #heard(by: Party, sdp: string, reply: string): string {
    this.#said[by] = { srtp: srtpOf(sdp), codecs: codecsIn(sdp) };
    this.#keyed ||= hasKeys(sdp) || hasKeys(reply);
    return this.#towards[other(by)].describe(reply);
  }

  /** What a party may be offered. One for which the engine translates is known to have no other codecs than it said. */
  #codecsOf(party: Party): readonly string[] {
    const { codecs } = this.#terms[party];
    return codecs.length === 0 && this.#translated ? (this.#said[party]?.codecs ?? []) : codecs;
  }
}

export function other(party: Party): Party {
  return party === 'customer' ? 'seller' : 'customer';
}

/** The engine would send in clear to whoever describes itself without keys. @throws SidestreamError not-acceptable-here */
function requireKeys({ srtp }: PartyTerms, sdp: string): void {
  if (srtp !== 'require' || srtpOf(sdp) === 'require') return;
  throw new SidestreamError('not-acceptable-here', 'SRTP with SDES keys (RFC 4568) is required here');
}

function srtpOf(sdp: string): PartyTerms['srtp'] | undefined {
  if (!hasKeys(sdp)) return undefined;
  return /^m=audio \d+ RTP\/SAVP/m.test(sdp) ? 'require' : 'offer';
}

function hasKeys(sdp: string): boolean {
  return /^a=crypto:/m.test(sdp);
}
