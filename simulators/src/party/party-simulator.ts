/**
 * A party to calls: a telephone that speaks a WAV file in G.711, for integrators, tests and the demo. It owns the SIP user
 * agent and the list of calls; a call's life is in PartyCall.
 */
import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import {
  formatNameAddr,
  type HostPort,
  type IncomingInvite,
  newCallId,
  parseUri,
  SipError,
  type Target,
  Transports,
  UserAgent,
} from '@sidestream/sip';
import { traceMessages } from '../message-trace.js';
import { readWav, type Wav } from '../rtp/wav.js';
import { PartyCall } from './party-call.js';
import { PartyMedia } from './party-media.js';
import type { CallOptions, IncomingTreatment, PartyOptions, Speech } from './party-options.js';
import { writePartySdp } from './party-sdp.js';
import { placeCall } from './placed-call.js';
import { receiveCall } from './received-call.js';

const DEFAULT_KEEP_PACKETS = 30_000;
const DEFAULT_MAX_DURATION_MS = 3_600_000;
const DEFAULT_MAX_CALLS = 500;

export interface PartyEvents {
  /** A call has come in; it rings or is answered by itself as `incoming` says. */
  call: [call: PartyCall];
  /** A call failed on our side. */
  problem: [error: unknown];
}

async function loadSpeech(speech: Speech | undefined): Promise<Wav | undefined> {
  return typeof speech === 'string' || speech instanceof URL ? readWav(await readFile(speech)) : speech;
}

/** See the module's head; start with {@link PartySimulator.start}. */
export class PartySimulator extends EventEmitter<PartyEvents> {
  readonly address: HostPort;
  /** How calls from now on are treated. */
  incoming: IncomingTreatment;
  /** Share of what comes that is lost, 0 to 1, in calls from now on. */
  hearingLoss: number;
  readonly #options: PartyOptions;
  readonly #wav: Wav | undefined;
  readonly #transports: Transports;
  readonly #agent: UserAgent;
  readonly #calls = new Set<PartyCall>();
  #closed: Promise<void> | undefined;

  private constructor(options: PartyOptions, wav: Wav | undefined, transports: Transports, address: HostPort) {
    super();
    this.#options = options;
    this.#wav = wav;
    this.#transports = transports;
    this.address = address;
    this.incoming = options.incoming ?? {};
    this.hearingLoss = options.hearingLoss ?? 0;
    const supported = options.recordAware === true ? ['record-aware'] : [];
    // NOTIFY: who refers hears how it goes on (RFC 3515).
    const allow = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'NOTIFY', 'REFER'];
    this.#agent = new UserAgent({ transports, product: `Sidestream-party-simulator`, supported, allow });
    this.#agent.on('invite', (invite) => {
      this.#onInvite(invite).catch((error: unknown) => {
        void invite.respond(500);
        this.emit('problem', error);
      });
    });
  }

  /** Reads the speech and listens. Rejects with WavError, SipError or what the file system says. */
  static async start(options: PartyOptions): Promise<PartySimulator> {
    const wav = await loadSpeech(options.wav);
    const transports = new Transports();
    if (options.onMessage !== undefined) traceMessages(transports, options.onMessage);
    try {
      const { protocol, host, port = 0 } = options.listen;
      return new PartySimulator(options, wav, transports, await transports.listen({ protocol, host, port }));
    } catch (error) {
      await transports.close();
      throw error;
    }
  }

  /** Calls that are not over. */
  get calls(): PartyCall[] {
    return [...this.#calls];
  }

  /** Places a call; the promise resolves before it is answered: `call.answered` and `call.ended` tell how it goes. */
  async call(to: string, options: CallOptions = {}): Promise<PartyCall> {
    const callId = newCallId();
    const media = await this.#openMedia(callId, (await loadSpeech(options.wav)) ?? this.#wav);
    const call = this.#track(new PartyCall(callId, 'placed', media));
    const { name: displayName, uri } = this.#options;
    const placement = {
      agent: this.#agent,
      to,
      from: formatNameAddr({ displayName, uri, parameters: new Map() }),
      target: options.target ?? this.#targetOf(to),
      offer: options.lateOffer === true ? undefined : writePartySdp(media.offer()),
      answerOffer: (offer: string) => {
        const remote = media.read(offer);
        const answer = remote && media.answer(remote);
        if (answer === undefined) throw new SipError('malformed', 'an offer without audio for this party');
        return writePartySdp(answer);
      },
    };
    void placeCall(call, placement, options);
    return call;
  }

  /** Hangs up every call, then stops listening; idempotent. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await Promise.all([...this.#calls].map((call) => call.hangUp()));
      await this.#agent.close();
      await this.#transports.close();
    })();
    return this.#closed;
  }

  async #onInvite(invite: IncomingInvite): Promise<void> {
    if (this.#calls.size >= (this.#options.maxCalls ?? DEFAULT_MAX_CALLS) || this.#closed !== undefined) {
      await invite.respond(503);
      return;
    }
    const { callId } = invite.request;
    const media = await this.#openMedia(callId, this.#wav);
    const call = this.#track(new PartyCall(callId, 'received', media));
    this.emit('call', call);
    try {
      await receiveCall(call, invite, media, this.incoming);
    } catch (error) {
      await call.finish({ by: invite.signal.aborted ? 'cancelled' : 'error' });
      if (!invite.signal.aborted) throw error;
    }
  }

  #track(call: PartyCall): PartyCall {
    this.#calls.add(call);
    void call.ended.then(() => this.#calls.delete(call));
    return call;
  }

  #openMedia(callId: string, wav: Wav | undefined): Promise<PartyMedia> {
    const {
      codec,
      onlyCodec,
      srtp,
      loop,
      firstSequence,
      recordPreference,
      keepPackets,
      maxDurationMs,
      recordTo,
      mediaHost,
      reportEveryMs,
    } = this.#options;
    return PartyMedia.open({
      host: mediaHost ?? this.address.host,
      reportEveryMs,
      hearingLoss: this.hearingLoss,
      codec: codec ?? 'PCMU',
      onlyCodec: onlyCodec ?? false,
      srtp: srtp ?? false,
      wav,
      loop: loop ?? true,
      firstSequence,
      recordPreference,
      keepPackets: keepPackets ?? DEFAULT_KEEP_PACKETS,
      maxDurationMs: maxDurationMs ?? DEFAULT_MAX_DURATION_MS,
      recordTo: recordTo?.(callId),
    });
  }

  #targetOf(to: string): Target {
    const { host, port } = parseUri(to);
    // From the address that we listen on: it tells the peer who we are, and over UDP it brings back the answers.
    return { protocol: this.#options.listen.protocol, host, port: port ?? 5060, local: this.address };
  }
}
