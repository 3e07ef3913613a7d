/** A small recording client for the recorder's tests: what signalling does, without a call behind it. Not part of the door. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import {
  Headers,
  type OutgoingInvite,
  type Target,
  TlsIdentity,
  type TlsIdentityFiles,
  Transports,
  UserAgent,
} from '@sidestream/sip';
import {
  bodyParts,
  byeBody,
  byeHeaders,
  dynamics365,
  initialBody,
  inviteHeaders,
  newRecordingCallId,
  newRecordingModel,
  type RecordingModel,
  recordingContact,
  writeRecordingOffer,
} from '@sidestream/siprec';
import { parse } from 'sdp-transform';
import { PortPair } from '../rtp/port-pair.js';
import { writeRtp } from '../rtp/rtp-packet.js';
import { SrtpSender } from '../rtp/srtp.js';
import type { RecorderOptions } from './recorder-options.js';
import { RecorderSimulator } from './recorder-simulator.js';

const HOST = '127.0.0.1';
const OWN = { scheme: 'sip', user: 'SRC', host: HOST, port: 5061 } as const;
export const ACCOUNT = { accountId: 'AC0123' };

/** Certificates of one test: the recorder's, the tenant's, and one of another authority. */
export interface TestIdentities {
  directory: string;
  recorder: TlsIdentityFiles;
  tenant: TlsIdentityFiles;
  stranger: TlsIdentityFiles;
  otherName: TlsIdentityFiles;
}

/** Runs `body` with fresh certificates and a recorder, and takes everything down again. */
export async function withRecorder(
  options: Partial<RecorderOptions> | ((identities: TestIdentities) => Partial<RecorderOptions>),
  body: (recorder: RecorderSimulator, identities: TestIdentities) => Promise<void>,
): Promise<void> {
  const folder = await CredentialFolder.create();
  let recorder: RecorderSimulator | undefined;
  try {
    const [ours, theirs] = [await createAuthority('Simulated CA'), await createAuthority('Other CA')];
    const write = async (authority: typeof ours, name: string, dnsNames: string[], trust = authority) =>
      folder.write(await authority.issue({ commonName: name, dnsNames }), name, trust);
    const identities = {
      directory: folder.directory,
      tenant: await write(ours, 'tenant', []),
      recorder: await write(ours, 'recorder', ['recorder.test']),
      otherName: await write(ours, 'other', ['other.test']),
      // It trusts our authority, so that only the recorder has a reason to refuse.
      stranger: await write(theirs, 'stranger', [], ours),
    };
    recorder = await RecorderSimulator.start({
      tls: identities.recorder,
      lingerMs: 50,
      ...(typeof options === 'function' ? options(identities) : options),
    });
    await body(recorder, identities);
  } finally {
    await recorder?.close();
    await folder.remove();
  }
}

/** One voice that the client sends: its own key and ports, and where the recorder wants it. */
interface Voice {
  party: 'customer' | 'seller';
  ports: PortPair;
  master: Buffer;
  sender: SrtpSender;
  to: { port: number; key: Buffer | undefined } | undefined;
}

/** See the module's head. */
export class RecordingClient {
  readonly voices: Voice[];
  readonly callId: string = newRecordingCallId();
  readonly model: RecordingModel;
  session: OutgoingInvite | undefined;
  readonly #transports = new Transports();
  readonly agent: UserAgent;
  readonly #target: Target;
  #version = 0;

  private constructor(recorder: RecorderSimulator, files: TlsIdentityFiles, voices: Voice[]) {
    this.voices = voices;
    this.agent = new UserAgent({ transports: this.#transports });
    const { host, port } = recorder.address;
    this.#target = { protocol: 'tls', host, port, servername: 'recorder.test', identity: new TlsIdentity(files) };
    this.model = newRecordingModel({
      direction: 'inbound',
      startTime: new Date(),
      customer: { aor: 'tel:+14255550100', name: 'Müller & <Söhne>' },
      seller: { aor: 'sip:robin@contoso.example', name: 'Robin' },
    });
  }

  static async create(recorder: RecorderSimulator, files: TlsIdentityFiles): Promise<RecordingClient> {
    const voices: Voice[] = [];
    for (const party of ['customer', 'seller'] as const) {
      const master = randomBytes(30);
      voices.push({ party, ports: await PortPair.open(HOST), master, sender: new SrtpSender(master), to: undefined });
    }
    return new RecordingClient(recorder, files, voices);
  }

  /** Where requests outside dialogs go. */
  get outOfDialog(): { target: Target; uri: string; from: string } {
    return { target: this.#target, uri: 'sip:recorder.test', from: '<sip:SRC@sidestream.test>' };
  }

  /** What the recorder says from now on, one text for each message. */
  heard(): string[] {
    const heard: string[] = [];
    this.#transports.on('message', (bytes) => heard.push(bytes.toString('latin1')));
    return heard;
  }

  /** Our session description, for an offer or an answer. */
  sdp(direction: 'sendonly' | 'inactive' = 'sendonly'): string {
    this.#version += 1;
    return writeRecordingOffer({
      streams: this.voices.map(({ party, ports, master }) => ({
        party,
        address: HOST,
        port: ports.port,
        rtcpPort: ports.port + 1,
        crypto: `1 AES_CM_128_HMAC_SHA1_80 inline:${master.toString('base64')}`,
        payloadTypes: [0],
      })),
      sessionId: '4711',
      version: this.#version,
      address: HOST,
      direction,
      profile: dynamics365,
    });
  }

  /** The multipart body of an INVITE or re-INVITE. */
  body(
    direction: 'sendonly' | 'inactive' = 'sendonly',
    changeSdp = (sdp: string) => sdp,
  ): { contentType: string; body: Buffer } {
    const { contentType, body } = initialBody({
      model: this.model,
      offerSdp: changeSdp(this.sdp(direction)),
      profile: dynamics365,
    });
    return { contentType, body: Buffer.from(body) };
  }

  /** Opens the recording session and takes the answer. Rejects as UserAgent.invite does. */
  async invite(
    change: { headers?: Headers; body?: { contentType: string; body: Buffer }; contact?: string } = {},
  ): Promise<void> {
    this.session = await this.agent.invite({
      target: this.#target,
      uri: dynamics365.uri({ scheme: 'sip', user: 'SRS', host: 'recorder.test', port: this.#target.port }),
      from: '<sip:SRC@sidestream.test>',
      callId: this.callId,
      contact: change.contact ?? recordingContact(dynamics365, OWN),
      headers: change.headers ?? new Headers(inviteHeaders(dynamics365, ACCOUNT)),
      ...(change.body ?? this.body()),
      finalTimeoutMs: 1_000,
    });
    this.takeAnswer(this.session.response.headers.get('Content-Type') ?? '', this.session.response.body);
  }

  /** Sends a re-INVITE and returns its answer. */
  async reinvite(direction: 'sendonly' | 'inactive', changeSdp?: (sdp: string) => string): Promise<string> {
    return String((await this.#reinvite(direction, changeSdp))?.body);
  }

  /** Sends a re-INVITE once, whatever comes of it. */
  async reinviteStatus(): Promise<number> {
    return (await this.#reinvite('sendonly'))?.status ?? 0;
  }

  async #reinvite(direction: 'sendonly' | 'inactive', changeSdp?: (sdp: string) => string) {
    const headers = new Headers([
      ...inviteHeaders(dynamics365, ACCOUNT),
      ['Contact', recordingContact(dynamics365, OWN)],
    ]);
    return this.session?.dialog.reinvite({ headers, ...this.body(direction, changeSdp) });
  }

  takeAnswer(contentType: string, body: Buffer): void {
    const sdp = bodyParts(contentType, body).find(({ mediaType }) => mediaType === 'application/sdp');
    for (const [index, media] of parse(String(sdp?.body)).media.entries()) {
      const voice = this.voices[index];
      const key = media.crypto?.[0]?.config.slice('inline:'.length);
      if (voice) voice.to = { port: media.port, key: key === undefined ? undefined : Buffer.from(key, 'base64') };
    }
  }

  /** Gives a voice a new key, for the next offer. */
  rekey(index: number): void {
    const voice = this.voices[index];
    if (voice === undefined) return;
    voice.master = randomBytes(30);
    voice.sender = new SrtpSender(voice.master);
  }

  /** Sends packets of a voice as SRTP; `from` and `count` choose them, and each byte of payload i is i. */
  send(index: number, sequences: readonly number[], change = (srtp: Buffer) => srtp): Buffer[] {
    const voice = this.voices[index];
    if (voice?.to === undefined) throw new Error('there is no answer for this voice');
    const { sender, ports, to } = voice;
    return sequences.map((sequenceNumber) => {
      const payload = Buffer.alloc(160, sequenceNumber & 0xff);
      // Sequence numbers above the half count as negative, so that timestamps go on across the wrap.
      const timestamp = 160 * ((sequenceNumber << 16) >> 16);
      const rtp = writeRtp({ marker: false, payloadType: 0, sequenceNumber, timestamp, ssrc: 77 + index, payload });
      ports.sendRtp(change(sender.protect(rtp)), to.port, HOST);
      return payload;
    });
  }

  /** Ends the session with metadata, as profile dynamics365 wants it. */
  async bye(change: { plain?: boolean } = {}): Promise<void> {
    const headers = new Headers(byeHeaders(dynamics365, ACCOUNT));
    const { contentType, body } = byeBody({ model: this.model, profile: dynamics365, stopTime: new Date() });
    const content = change.plain ? {} : { headers, contentType, body: Buffer.from(body) };
    await this.session?.dialog.bye(content);
  }

  /** Resolves when the recorder has hung up. */
  async hungUp(): Promise<void> {
    const dialog = this.session?.dialog;
    if (dialog !== undefined && dialog.state.state !== 'terminated') await once(dialog, 'ended');
  }

  async close(): Promise<void> {
    for (const { ports } of this.voices) ports.close();
    await this.agent.close();
    await this.#transports.close();
  }
}
