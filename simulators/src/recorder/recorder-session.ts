/**
 * One recording session at the recorder: offer and answer, streams, metadata, findings, files. It is driven by the recorder,
 * which owns the SIP side, and ends once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { SipError, type SipRequest, type SipResponse, type TlsPeer, type UaDialog } from '@sidestream/sip';
import {
  bodyParts,
  dynamics365,
  type LintOptions,
  lint,
  type ParsedMetadata,
  parseMetadata,
  writeMultipart,
} from '@sidestream/siprec';
import type { PortPair } from '../rtp/port-pair.js';
import type { Behaviour } from './behaviour/behaviour.js';
import type { Reoffer } from './behaviour/live-session.js';
import type { Finding } from './finding.js';
import type { RecordedStream } from './recorded-stream.js';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder-options.js';
import type { AnswerBody } from './recording-answer.js';
import { SessionFolder } from './session-folder.js';
import { SessionMedia } from './session-media.js';

const MAX_FINDINGS = 200;
const MAX_SNAPSHOTS = 200;

/** A metadata document as it came. */
export interface MetadataSnapshot {
  method: 'INVITE' | 're-INVITE' | 'UPDATE' | 'BYE';
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
  readonly #media: SessionMedia;
  readonly #end = new AbortController();
  #resolve: (end: SessionEnd) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
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
    const { maxDurationMs, keepPackets, mediaHost, onSrtpPacket } = init.options;
    const { callId } = this;
    this.#media = new SessionMedia({
      host: mediaHost ?? init.localAddress,
      keepPackets: keepPackets ?? RECORDER_DEFAULTS.keepPackets,
      openPorts: init.openPorts,
      openWav: async (label) => await folder?.openWav(label, maxDurationMs ?? RECORDER_DEFAULTS.maxDurationMs),
      report: (label) => (name, text) => this.#add({ name, where: label, text }),
      capture: (label) => onSrtpPacket && ((packet, key) => onSrtpPacket({ callId, label, key, packet })),
    });
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
    return this.#media.streams;
  }

  /** Aborted when the session ends. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** The folder with this session's files, when files are written. */
  get directory(): string | undefined {
    return this.#folder?.path;
  }

  /** Checks a request with an offer, opens what it needs and returns the answer, undefined when there is nothing to record. */
  async answer(request: SipRequest, bytes: Buffer, behaviour: Behaviour): Promise<AnswerBody | undefined> {
    // A re-INVITE that comes while the session ends must not open ports that nobody would close.
    if (this.#finishing) return undefined;
    const method = this.#offer === undefined ? 'INVITE' : request.method === 'UPDATE' ? 'UPDATE' : 're-INVITE';
    const previousOffer = this.#offer;
    const check = () => {
      this.#folder?.addMessage(request.method.toLowerCase(), bytes);
      return this.#check(method, bytes, { previousOffer });
    };
    const instant = behaviour.instant === true;
    const sdp = instant ? sdpIn(request) : check();
    if (instant) setImmediate(check);
    const answer = sdp === undefined ? undefined : await this.#media.answer(sdp, behaviour);
    if (answer !== undefined) this.#offer = sdp;
    return answer;
  }

  /** Checks and keeps an UPDATE; the answer to its offer, undefined without one. */
  async update(request: SipRequest, bytes: Buffer, behaviour: Behaviour): Promise<AnswerBody | undefined> {
    if (sdpIn(request) !== undefined) return this.answer(request, bytes, behaviour);
    this.#folder?.addMessage('update', bytes);
    this.#check('UPDATE', bytes, {});
    return undefined;
  }

  /** Takes the dialog once the INVITE is accepted, and begins to send receiver reports. */
  established(dialog: UaDialog): void {
    this.#dialog = dialog;
    const interval = this.#options.rtcpIntervalMs ?? RECORDER_DEFAULTS.rtcpIntervalMs;
    if (interval === 0 || this.#finishing) return;
    this.#reports = setInterval(() => this.#media.report(), interval).unref();
  }

  /** Checks and keeps the client's BYE. */
  receivedBye(bytes: Buffer): void {
    this.#folder?.addMessage('bye', bytes);
    this.#check('BYE', bytes, {});
  }

  /** Offers our side anew and takes the answer. Resolves with the final response. */
  async reinvite({ direction, snapshot, ...more }: Reoffer): Promise<SipResponse> {
    const offer = this.#media.offer(direction);
    const content =
      snapshot === undefined ? offer : writeMultipart([offer, { disposition: 'recording-session', ...snapshot }]);
    const response = await this.#live().reinvite({ ...content, ...more });
    const answer = response.status < 300 ? sdpIn(response) : undefined;
    if (answer !== undefined) this.#media.takeAnswer(answer);
    return response;
  }

  /** Sends another request within the dialog; resolves with its final response. */
  request(...[method, content]: Parameters<UaDialog['request']>): Promise<SipResponse> {
    return this.#live().request(method, content);
  }

  /** No packet is taken and no report leaves any more. */
  stopMedia(): void {
    this.#media.stop();
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
      this.#end.abort();
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
      // What can still be closed is, whichever fails.
      const [media, files] = await Promise.allSettled([this.#media.close(), this.#folder?.settle()]);
      for (const result of [media, files]) if (result.status === 'rejected') throw result.reason;
      this.#resolve(end);
    } catch (error) {
      this.#reject(error);
    }
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

  #live(): UaDialog {
    if (this.#dialog === undefined) throw new SipError('not-possible', 'the session has no dialog yet');
    return this.#dialog;
  }

  #add(finding: Finding): void {
    if (this.findings.length >= MAX_FINDINGS) return;
    this.findings.push(finding);
    this.#onFinding(finding);
  }
}

/** The session description in a message's body, whether alone or among other parts. */
function sdpIn({ headers, body }: SipRequest | SipResponse): string | undefined {
  if (body.length === 0) return undefined;
  try {
    const parts = bodyParts(headers.get('Content-Type') ?? 'application/sdp', body);
    return parts.find(({ mediaType }) => mediaType === 'application/sdp')?.body.toString();
  } catch {
    return undefined;
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
  openPorts(host: string): Promise<PortPair>;
  options: RecorderOptions;
  onFinding: (finding: Finding, session: RecorderSession) => void;
}
