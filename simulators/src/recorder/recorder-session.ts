/**
 * One recording session at the recorder: offer and answer, streams, metadata, findings, files. It is driven by the recorder,
 * which owns the SIP side, and ends once.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { SipRequest, TlsPeer, UaDialog } from '@sidestream/sip';
import { dynamics365, type LintOptions, lint, type ParsedMetadata, parseMetadata } from '@sidestream/siprec';
import { PortPair } from '../rtp/port-pair.js';
import type { Behaviour } from './behaviour.js';
import type { Finding, Report } from './finding.js';
import { RecordedStream } from './recorded-stream.js';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder-options.js';
import { type AnswerBody, type AnswerStream, acceptStream, refuseStream, writeAnswer } from './recording-answer.js';
import { type OfferedStream, readOffer } from './recording-offer.js';
import { newMaster } from './sdes.js';
import { SessionFolder } from './session-folder.js';

const MAX_FINDINGS = 200;
const MAX_SNAPSHOTS = 200;
const CNAME = 'recorder@sidestream.invalid';

/** A metadata document as it came. */
export interface MetadataSnapshot {
  method: 'INVITE' | 're-INVITE' | 'BYE';
  /** Milliseconds since the epoch. */
  at: number;
  xml: string;
  /** Undefined when it could not be read (there is a finding then). */
  document: ParsedMetadata | undefined;
}

/** How a session ended. */
export type SessionEnd = 'client' | 'recorder' | 'error';

/** Who the client is, as TLS has shown it. */
export interface SessionPeer {
  address: string;
  tls: TlsPeer | undefined;
}

/** See the module's head. */
export class RecorderSession {
  readonly callId: string;
  readonly peer: SessionPeer;
  readonly startedAt = Date.now();
  endedAt: number | undefined;
  readonly findings: Finding[] = [];
  readonly metadata: MetadataSnapshot[] = [];
  /** Resolves after the last packet was taken and every file is complete; rejects when a file could not be written. */
  readonly ended: Promise<SessionEnd>;
  readonly #options: RecorderOptions;
  readonly #onFinding: (finding: Finding) => void;
  readonly #folder: SessionFolder | undefined;
  readonly #mediaHost: string;
  readonly #streams: (RecordedStream | undefined)[] = [];
  readonly #sessionId = randomInt(1, 2 ** 31);
  #resolve: (end: SessionEnd) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #version = 0;
  /** The last offer that was answered. */
  #offer: string | undefined;
  #dialog: UaDialog | undefined;
  #reports: NodeJS.Timeout | undefined;
  #finishing = false;

  private constructor(init: SessionInit, folder: SessionFolder | undefined) {
    this.callId = init.request.callId;
    this.peer = init.peer;
    this.#options = init.options;
    this.#onFinding = (finding) => init.onFinding(finding, this);
    this.#folder = folder;
    this.#mediaHost = init.options.mediaHost ?? init.localAddress;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever does not wait for the end must not be ended by a full disk.
    this.ended.catch(() => undefined);
  }

  /** Prepares a session for an INVITE; nothing is answered yet. */
  static async create(init: SessionInit): Promise<RecorderSession> {
    const { directory } = init.options;
    const folder = directory === undefined ? undefined : await SessionFolder.create(directory, init.request.callId);
    return new RecorderSession(init, folder);
  }

  /** The streams that were accepted, in the order of the m-lines. */
  get streams(): RecordedStream[] {
    return this.#streams.filter((stream) => stream !== undefined);
  }

  /** The folder with this session's files, when files are written. */
  get directory(): string | undefined {
    return this.#folder?.path;
  }

  /** Checks an INVITE or re-INVITE, opens what it needs and returns the answer, undefined when there is nothing to record. */
  async answer(bytes: Buffer, behaviour: Behaviour): Promise<AnswerBody | undefined> {
    // A re-INVITE that comes while the session ends must not open ports that nobody would close.
    if (this.#finishing) return undefined;
    const initial = this.#offer === undefined;
    const method = initial ? 'INVITE' : 're-INVITE';
    this.#folder?.addMessage('invite', bytes);
    const sdp = this.#check(method, bytes, { previousOffer: this.#offer });
    const offer = sdp === undefined ? undefined : readOffer(sdp);
    if (offer === undefined) return undefined;
    const lines: AnswerStream[] = [];
    for (const offered of offer.streams) lines.push(await this.#answerStream(offered));
    if (initial && lines.every(({ port }) => port === 0)) return undefined;
    this.#offer = sdp;
    this.#version += 1;
    const changed = lines.map((line, index) =>
      line.port === 0 ? line : (behaviour.changeStream?.(line, index) ?? line),
    );
    const answer = writeAnswer(this.#mediaHost, this.#sessionId, this.#version, changed);
    const body = { contentType: 'application/sdp', body: Buffer.from(answer) };
    return behaviour.changeBody?.(body) ?? body;
  }

  /** Takes the dialog once the INVITE is accepted, and begins to send receiver reports. */
  established(dialog: UaDialog): void {
    this.#dialog = dialog;
    const interval = this.#options.rtcpIntervalMs ?? RECORDER_DEFAULTS.rtcpIntervalMs;
    if (interval === 0 || this.#finishing) return;
    this.#reports = setInterval(() => {
      for (const stream of this.streams) stream.sendReport(CNAME);
    }, interval).unref();
  }

  /** Checks and keeps the client's BYE. */
  receivedBye(bytes: Buffer): void {
    this.#folder?.addMessage('bye', bytes);
    this.#check('BYE', bytes, {});
  }

  /** Hangs up from the recorder's side, waiting `timeoutMs` for the answer; resolves when the session has ended. */
  async bye(timeoutMs = 5_000): Promise<void> {
    await this.#dialog?.bye({ timeoutMs });
    await this.finish('recorder');
  }

  /** Ends the session: takes what is still under way, closes ports and files, settles {@link ended}; the first end counts. */
  async finish(end: SessionEnd): Promise<void> {
    if (!this.#finishing) {
      this.#finishing = true;
      clearInterval(this.#reports);
      await this.#close(end);
    }
    await this.ended.catch(() => undefined);
  }

  async #close(end: SessionEnd): Promise<void> {
    try {
      // The BYE may overtake the last packets: they wait in socket buffers while SIP is handled.
      if (this.#dialog !== undefined) await delay(this.#options.lingerMs ?? RECORDER_DEFAULTS.lingerMs);
      this.endedAt = Date.now();
      const closed = await Promise.allSettled(this.streams.map((stream) => stream.close()));
      await this.#folder?.settle();
      for (const result of closed) if (result.status === 'rejected') throw result.reason;
      this.#resolve(end);
    } catch (error) {
      this.#reject(error);
    }
  }

  async #answerStream(offered: OfferedStream): Promise<AnswerStream> {
    const crypto = offered.crypto.find(({ master }) => master !== undefined);
    const { address, payloadTypes, rtpmaps } = offered;
    const types = payloadTypes.filter(
      (type) => type === 0 || type === 8 || /^telephone-event\//i.test(rtpmaps.get(type) ?? ''),
    );
    const usable = offered.kind === 'audio' && /^RTP\/SAVPF?$/.test(offered.protocol) && types.length > 0;
    if (!usable || crypto?.master === undefined || address === undefined || address.port === 0)
      return refuseStream(offered);
    const stream = this.#streams[offered.index] ?? (await this.#openStream(offered));
    // RFC 4568 §7.1.4: an unchanged offer keeps its keys; a new one gets a new key of ours too.
    const own = stream.hasOfferedKey(crypto.master) && stream.ownKey !== undefined ? stream.ownKey : newMaster();
    stream.agree({
      label: offered.label ?? `stream-${offered.index + 1}`,
      offered: crypto.master,
      own,
      rtcp: { address: address.rtcpAddress, port: address.rtcpPort },
      payloadTypes: types,
    });
    return acceptStream(offered, stream.port, { tag: crypto.tag, master: own }, types);
  }

  async #openStream(offered: OfferedStream): Promise<RecordedStream> {
    const label = offered.label ?? `stream-${offered.index + 1}`;
    const { onSrtpPacket, keepPackets, maxDurationMs } = this.#options;
    const { callId } = this;
    const stream = new RecordedStream({
      index: offered.index,
      ports: await PortPair.open(this.#mediaHost),
      wav: await this.#folder?.openWav(label, maxDurationMs ?? RECORDER_DEFAULTS.maxDurationMs),
      keepPackets: keepPackets ?? RECORDER_DEFAULTS.keepPackets,
      report: this.#reporter(label),
      capture: onSrtpPacket && ((packet, key) => onSrtpPacket({ callId, label, key, packet })),
    });
    this.#streams[offered.index] = stream;
    return stream;
  }

  /** Lints a message and keeps its metadata; the offer in it. */
  #check(method: MetadataSnapshot['method'], bytes: Buffer, options: LintOptions): string | undefined {
    const { profile = dynamics365, accountId } = this.#options;
    const { findings, offer, metadata } = lint(bytes, { profile, accountId, ...options });
    for (const finding of findings) this.#add({ ...finding, where: method });
    if (metadata !== undefined && this.metadata.length < MAX_SNAPSHOTS) {
      this.metadata.push({ method, at: Date.now(), xml: metadata, document: readable(metadata) });
      this.#folder?.addMetadata(metadata);
    }
    return offer;
  }

  #reporter(where: string): Report {
    return (name, text) => this.#add({ name, where, text });
  }

  #add(finding: Finding): void {
    if (this.findings.length >= MAX_FINDINGS) return;
    this.findings.push(finding);
    this.#onFinding(finding);
  }
}

function readable(xml: string): ParsedMetadata | undefined {
  try {
    return parseMetadata(xml);
  } catch {
    return undefined;
  }
}

/** What a session is made of. */
export interface SessionInit {
  request: SipRequest;
  peer: SessionPeer;
  /** The address that the client has connected to. */
  localAddress: string;
  options: RecorderOptions;
  onFinding: (finding: Finding, session: RecorderSession) => void;
}
