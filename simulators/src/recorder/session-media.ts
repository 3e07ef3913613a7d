/**
 * The streams of one recording session: what of an offer is accepted and how it is answered, and the recorder's own offers. It
 * knows SDP and no SIP.
 */
import { randomInt } from 'node:crypto';
import type { MediaDirection } from '../rtp/media-address.js';
import type { PortPair } from '../rtp/port-pair.js';
import { newMaster } from '../rtp/sdes.js';
import type { TimelineWav } from '../rtp/timeline-wav.js';
import type { Behaviour } from './behaviour/behaviour.js';
import type { Report } from './finding.js';
import { RecordedStream, type StreamTerms } from './recorded-stream.js';
import { type AnswerBody, type AnswerStream, acceptStream, refuseStream, writeAnswer } from './recording-answer.js';
import { type OfferedStream, readOffer } from './recording-offer.js';

const CNAME = 'recorder@sidestream.invalid';

/** What the streams of a session are made of. */
export interface SessionMediaOptions {
  /** Address of media in answers. */
  host: string;
  keepPackets: number;
  openPorts(host: string): Promise<PortPair>;
  openWav(label: string): Promise<TimelineWav | undefined>;
  report(label: string): Report;
  capture(label: string): ((packet: Buffer, key: Buffer) => void) | undefined;
}

/** An offered stream as we would answer it, and what is to be agreed for it where it is not refused. */
interface Accepted {
  line: AnswerStream;
  stream?: RecordedStream;
  terms?: Omit<StreamTerms, 'payloadTypes'>;
}

/** See the module's head. */
export class SessionMedia {
  readonly #options: SessionMediaOptions;
  readonly #streams: (RecordedStream | undefined)[] = [];
  readonly #sessionId = randomInt(1, 2 ** 31);
  #version = 0;
  /** Our description as it was said last. */
  #lines: readonly AnswerStream[] = [];

  constructor(options: SessionMediaOptions) {
    this.#options = options;
  }

  /** The streams that were accepted, in the order of the m-lines. */
  get streams(): RecordedStream[] {
    return this.#streams.filter((stream) => stream !== undefined);
  }

  /** Opens what an offer needs and answers it; undefined when there is nothing to record in it. */
  async answer(sdp: string, behaviour: Behaviour): Promise<AnswerBody | undefined> {
    const offer = readOffer(sdp);
    if (offer === undefined) return undefined;
    const accepted: Accepted[] = [];
    for (const offered of offer.streams) accepted.push(await this.#accept(offered));
    const lines = accepted.map(({ line }) => line);
    const initial = this.#version === 0;
    if (initial && lines.every(({ port }) => port === 0)) return undefined;
    this.#version += 1;
    this.#lines = behaviour.changeStreams?.(lines, initial) ?? lines;
    for (const [index, { stream, terms }] of accepted.entries()) {
      const said = this.#lines[index];
      // Whatever a misbehaviour has left of the offered types is all that may come.
      const payloadTypes = said === undefined || said.port === 0 ? [] : said.payloadTypes;
      if (terms !== undefined) stream?.agree({ ...terms, payloadTypes });
    }
    const body = this.#write();
    return behaviour.changeBody?.(body) ?? body;
  }

  /** An offer of the recorder's own: as it was said last, in another direction where one is given. */
  offer(direction?: MediaDirection): AnswerBody {
    if (direction !== undefined) {
      this.#version += 1;
      this.#lines = this.#lines.map((line) => (line.port === 0 ? line : { ...line, direction }));
    }
    return this.#write();
  }

  /** Takes the client's answer to an offer of the recorder's: its keys may have changed. */
  takeAnswer(sdp: string): void {
    for (const { index, crypto, address } of readOffer(sdp)?.streams ?? []) {
      const master = crypto.find((attribute) => attribute.master !== undefined)?.master;
      if (master === undefined || address === undefined) continue;
      this.#streams[index]?.renew(master, { address: address.rtcpAddress, port: address.rtcpPort });
    }
  }

  /** Sends receiver reports. */
  report(): void {
    for (const stream of this.streams) stream.sendReport(CNAME);
  }

  /** Takes and sends nothing any more. */
  stop(): void {
    for (const stream of this.streams) stream.stop();
  }

  /** Closes ports and files; rejects with the first file that could not be written. */
  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.streams.map((stream) => stream.close()));
    for (const result of closed) if (result.status === 'rejected') throw result.reason;
  }

  #write(): AnswerBody {
    const sdp = writeAnswer(this.#options.host, this.#sessionId, this.#version, this.#lines);
    return { contentType: 'application/sdp', body: Buffer.from(sdp) };
  }

  async #accept(offered: OfferedStream): Promise<Accepted> {
    const crypto = offered.crypto.find(({ master }) => master !== undefined);
    const { address, payloadTypes, rtpmaps } = offered;
    const types = payloadTypes.filter(
      (type) => type === 0 || type === 8 || /^telephone-event\//i.test(rtpmaps.get(type) ?? ''),
    );
    const usable = offered.kind === 'audio' && /^RTP\/SAVPF?$/.test(offered.protocol) && types.length > 0;
    if (!usable || crypto?.master === undefined || address === undefined || address.port === 0)
      return { line: refuseStream(offered) };
    const stream = this.#streams[offered.index] ?? (await this.#open(offered));
    // RFC 4568 §7.1.4: an unchanged offer keeps its keys; a new one gets a new key of ours too.
    const own = stream.hasOfferedKey(crypto.master) && stream.ownKey !== undefined ? stream.ownKey : newMaster();
    return {
      line: acceptStream(offered, stream.port, { tag: crypto.tag, master: own }, types),
      stream,
      terms: {
        label: labelOf(offered),
        offered: crypto.master,
        own,
        rtcp: { address: address.rtcpAddress, port: address.rtcpPort },
      },
    };
  }

  async #open(offered: OfferedStream): Promise<RecordedStream> {
    const { host, keepPackets, openPorts, openWav, report, capture } = this.#options;
    const label = labelOf(offered);
    const stream = new RecordedStream({
      index: offered.index,
      ports: await openPorts(host),
      wav: await openWav(label),
      keepPackets,
      report: report(label),
      capture: capture(label),
    });
    this.#streams[offered.index] = stream;
    return stream;
  }
}

function labelOf({ label, index }: OfferedStream): string {
  return label ?? `stream-${index + 1}`;
}
