// rtpengine 10.5 as the media engine: the one file that knows ng dictionaries, and every workaround that it needs.
// Holds no state: what a session is, the domain knows.
import { isIPv6 } from 'node:net';
import { SidestreamError } from '@sidestream/service';
import {
  type EngineFork,
  EngineLostSession,
  type EngineState,
  type ForkOffer,
  type ForkStream,
  type MediaEngine,
  type Party,
  type Relaying,
  type Traffic,
  type VoiceCodec,
} from '../domain/ports.js';
import { forkPrefix, ownAddress, readTraffic, sealedForkPrefix } from './engine-traffic.js';
import { type ForkMedia, readForkSdp } from './fork-sdp.js';
import { type NgCommand, NgError } from './ng-client.js';
import { asDictionary, asList, type NgDictionary } from './ng-message.js';
import { standInAnswer } from './stand-in-answer.js';

/** A reply must fit into one datagram: 500 ids of at most 120 bytes do. Without a limit the engine lists 32. */
const listLimit = 500;
const recorderSuite = 'AES_CM_128_HMAC_SHA1_80';
/** The engine would offer twelve suites, three of which encrypt nothing; `only-…` exists from version 11.2 on. */
const oneSuite = [
  ...['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_256_CM_HMAC_SHA1_80', 'AES_256_CM_HMAC_SHA1_32'],
  ...['AES_192_CM_HMAC_SHA1_80', 'AES_192_CM_HMAC_SHA1_32', 'AES_CM_128_HMAC_SHA1_32', 'F8_128_HMAC_SHA1_80'],
  ...['F8_128_HMAC_SHA1_32', 'NULL_HMAC_SHA1_80', 'NULL_HMAC_SHA1_32'],
].map((suite) => `no-${suite}`);

/** Behind a session's id: the engine's call in which its sealed forks get their keys. */
const sealed = '/sealed';
const forRecorder = { 'transport-protocol': 'RTP/SAVP', ICE: 'remove', DTLS: 'off', SDES: [...oneSuite, 'pad'] };

/** What carries the commands; NgClient does. */
export interface NgTransport {
  readonly address: string;
  request(command: NgCommand, signal: AbortSignal): Promise<NgDictionary>;
}

export class Rtpengine implements MediaEngine {
  readonly description: string;
  readonly #client: NgTransport;
  readonly #prefix: string;

  /** @param relayId marks this relay's calls in the engine, so that a later run finds what an earlier one left. */
  constructor(client: NgTransport, relayId: string) {
    this.#client = client;
    this.#prefix = `sidestream/${relayId}/`;
    this.description = `rtpengine at ${client.address}`;
  }

  async offer(
    session: string,
    by: Party,
    sdp: string,
    { answered, srtp, transcode }: Relaying & { readonly answered: boolean },
    signal: AbortSignal,
  ): Promise<string> {
    // An offer for an unknown call makes a new one: after a restart of the engine half a session would come back.
    if (answered && !(await this.holds(session, signal))) throw new EngineLostSession(session);
    const tags = { 'from-tag': by, ...(answered && { 'to-tag': other(by) }) };
    const command = {
      ...partyMedia(by, sdp),
      'transport-protocol': srtp === 'require' ? 'RTP/SAVP' : 'RTP/AVP',
      ...(srtp === 'offer' && { OSRTP: ['offer'] }),
      // Where the offerer has keys its suites are copied into the other party's offer; to exclude one would take it from the offerer.
      SDES: /^a=crypto:/m.test(sdp) ? ['pad'] : [...oneSuite, 'pad'],
      ...(transcode.length > 0 && { codec: { mask: ['all'], transcode: [...transcode] } }),
    };
    return this.#sdp(await this.#ask(session, { command: 'offer', ...tags, ...command }, signal));
  }

  async answer(session: string, by: Party, sdp: string, signal: AbortSignal): Promise<string> {
    // In ng the from-tag of an answer is the offerer's, as in the SIP response.
    const tags = { 'from-tag': other(by), 'to-tag': by };
    // RFC 8643: who offered plain RTP with keys gets keys, whatever the other party has.
    const command = { ...partyMedia(by, sdp), OSRTP: ['accept'], SDES: ['pad'] };
    return this.#sdp(await this.#ask(session, { command: 'answer', ...tags, ...command }, signal));
  }

  async presumeAnswer(session: string, by: Party, offered: string, signal: AbortSignal): Promise<void> {
    await this.answer(session, by, standInAnswer(offered), signal);
  }

  async offerFork(
    session: string,
    fork: EngineFork,
    parties: readonly Party[],
    codec: VoiceCodec | undefined,
    signal: AbortSignal,
  ): Promise<ForkOffer> {
    const reply = await this.#ask(
      session,
      {
        command: 'subscribe request',
        // Always named, never `all`: the order of the media lines is the order of this list.
        'from-tags': [...parties],
        // Always the same for a fork: its ports and keys stay, and a new tag would cost four more ports a party.
        'to-tag': forkTag(fork),
        ...(fork.sealed ? { ...forRecorder, 'transport-protocol': 'RTP/AVP' } : forRecorder),
        // Gives labels and says which line is whose. No rtcp-mux entry: then RTCP has its own port.
        flags: ['siprec'],
        // Left alone, the engine sends what the party sends when the recorder's answer has no codec of the party's.
        ...(codec && { codec: { strip: ['all'], transcode: [codec, 'telephone-event'] } }),
      },
      signal,
    );
    return this.#forkOffer(
      reply,
      parties,
      fork.sealed ? await this.#seal(session, fork, this.#sdp(reply), signal) : undefined,
    );
  }

  /** Offers the plain copy, which does not leave the engine's own host, in a call of its own: there the engine makes keys of its own. */
  async #seal(session: string, fork: EngineFork, sdp: string, signal: AbortSignal): Promise<string> {
    const command = {
      command: 'offer',
      ...sealTags(fork),
      sdp: await this.#within(session, sdp, signal),
      replace: ['origin', 'session-connection'],
      ...forRecorder,
    };
    return this.#sdp(await this.#ask(`${session}${sealed}`, command, signal));
  }

  /** For the engine's own ear: what it tells others leads, behind 1:1 NAT, out of the host, with the voice in clear, and perhaps not back. */
  async #within(session: string, sdp: string, signal: AbortSignal): Promise<string> {
    const address = ownAddress(await this.#ask(session, { command: 'query' }, signal));
    if (address === undefined) throw this.#unusable('it does not say where it listens');
    return sdp.replaceAll(/^c=[^\r\n]*/gm, `c=IN IP${isIPv6(address) ? 6 : 4} ${address}`);
  }

  async answerFork(session: string, fork: EngineFork, answer: string, signal: AbortSignal): Promise<void> {
    let sdp = answer;
    if (fork.sealed) {
      const command = {
        command: 'answer',
        ...sealTags(fork),
        sdp,
        replace: ['origin', 'session-connection'],
        ICE: 'remove',
      };
      sdp = await this.#within(session, this.#sdp(await this.#ask(`${session}${sealed}`, command, signal)), signal);
    }
    // Without the flag an answer that lacks one offered payload type is refused and poisons the subscription.
    const flags = ['allow transcoding'];
    await this.#ask(session, { command: 'subscribe answer', 'to-tag': forkTag(fork), sdp, flags }, signal);
  }

  async stopFork(session: string, fork: EngineFork, signal: AbortSignal): Promise<void> {
    // `block media` would silence the live call, and an inactive answer is ignored: unsubscribing is the only pause.
    try {
      await this.#ask(session, { command: 'unsubscribe', 'to-tag': forkTag(fork) }, signal);
    } catch (error) {
      if (!(error instanceof EngineLostSession)) throw error;
    }
  }

  async traffic(session: string, signal: AbortSignal): Promise<Traffic> {
    // The reply to `delete` does not count in 10.5, so this is asked for before.
    const reply = await this.#ask(session, { command: 'query' }, signal);
    return readTraffic(reply);
  }

  async silentSeconds(session: string, signal: AbortSignal): Promise<number> {
    const { tags } = await this.#ask(session, { command: 'query' }, signal);
    const streams = (['customer', 'seller'] as const).flatMap((party) =>
      asList(asDictionary(asDictionary(tags)[party])['medias']).flatMap((media) =>
        asList(asDictionary(media)['streams']).map(asDictionary),
      ),
    );
    const last = Math.max(...streams.map((stream) => Number(stream['last packet'] ?? 0)));
    // The engine says it in seconds of the wall clock, which it shares with us.
    return Math.max(0, Math.floor(Date.now() / 1_000) - last);
  }

  async close(session: string, signal: AbortSignal, sealedForks = true): Promise<void> {
    // By call-id alone and at once: with a tag the call may survive, and by default it goes on for 30 s, fork included.
    const end = { command: 'delete', 'delete delay': 0 };
    await this.#ask(session, end, signal);
    if (sealedForks) await this.#ask(`${session}${sealed}`, end, signal);
  }

  async holds(session: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#ask(session, { command: 'query' }, signal);
      return true;
    } catch (error) {
      if (error instanceof EngineLostSession) return false;
      throw error;
    }
  }

  async list(signal: AbortSignal): Promise<{ sessions: string[]; remains: string[]; complete: boolean }> {
    const { calls } = await this.#request({ command: 'list', limit: listLimit }, undefined, signal);
    const ids = asList(calls).filter((id) => typeof id === 'string');
    const own = ids.filter((id) => id.startsWith(this.#prefix)).map((id) => id.slice(this.#prefix.length));
    const sessions = own.filter((id) => !id.endsWith(sealed));
    const held = new Set(sessions);
    const remains = own
      .filter((id) => id.endsWith(sealed))
      .map((id) => id.slice(0, -sealed.length))
      .filter((id) => !held.has(id));
    return { sessions, remains, complete: ids.length < listLimit };
  }

  async state(signal: AbortSignal): Promise<EngineState> {
    try {
      await this.#client.request({ command: 'ping' }, signal);
      return 'alive';
    } catch (error) {
      return error instanceof NgError && error.failure === 'unavailable' ? 'gone' : 'silent';
    }
  }

  async uptimeSeconds(signal: AbortSignal): Promise<number> {
    const { statistics } = await this.#request({ command: 'statistics' }, undefined, signal);
    return Number(asDictionary(asDictionary(statistics)['totalstatistics'])['uptime'] ?? 0);
  }

  #ask(session: string, command: NgCommand, signal: AbortSignal): Promise<NgDictionary> {
    return this.#request({ ...command, 'call-id': `${this.#prefix}${session}` }, session, signal);
  }

  async #request(command: NgCommand, session: string | undefined, signal: AbortSignal): Promise<NgDictionary> {
    try {
      return await this.#client.request(command, signal);
    } catch (error) {
      throw error instanceof NgError ? this.#translate(error, session) : error;
    }
  }

  #translate(error: NgError, session: string | undefined): SidestreamError {
    const told = `${this.description} refused '${error.command}': ${error.message}`;
    switch (error.failure) {
      case 'unavailable':
      case 'timeout':
      case 'closed':
        return new SidestreamError('media-engine-unavailable', `rtpengine: ${error.message}`, { cause: error });
      case 'aborted':
        return SidestreamError.from(error.cause);
      case 'overloaded':
        return new SidestreamError('overloaded', `${this.description}: ${error.message}`, { cause: error });
      case 'too-long':
        return new SidestreamError('bad-request', error.message, { cause: error });
      case 'refused':
        // Both spellings are in use: Unknown call-ID, Unknown call-id.
        if (session !== undefined && /unknown call-id/i.test(error.message))
          return new EngineLostSession(session, { cause: error });
        // The last one is the engine's way to say that it has no ports for a fork.
        if (/ran out of ports|limit|failed to request subscription/i.test(error.message))
          return new SidestreamError('overloaded', told, { cause: error });
        if (error.command === 'subscribe answer')
          return new SidestreamError('recorder-answer-unusable', told, { cause: error });
        return new SidestreamError('media-refused', told, { cause: error });
      default:
        return error.failure satisfies never;
    }
  }

  #sdp(reply: NgDictionary): string {
    const { sdp } = reply;
    // After a restore from redis the engine says ok and gives no SDP.
    if (typeof sdp !== 'string' || sdp === '') throw this.#unusable('it gave no SDP');
    return sdp;
  }

  /** One audio stream per party; everything else that the engine offers will be refused in the answer. */
  #forkOffer(reply: NgDictionary, parties: readonly Party[], sealedSdp: string | undefined): ForkOffer {
    // An unknown tag is left out with a warning in the engine's log only.
    if (asList(reply['from-tags']).join() !== parties.join()) throw this.#unusable('it forks other parties than asked');
    const plain = readForkSdp(this.#sdp(reply));
    const media =
      sealedSdp === undefined
        ? plain
        : readForkSdp(sealedSdp)?.map((line, index) => ({ ...line, label: plain?.[index]?.label }));
    const owners = asList(reply['tag-medias']).flatMap((entry) => {
      const { tag, medias } = asDictionary(entry);
      return asList(medias).map((one) => ({ tag, label: asDictionary(one)['label'] }));
    });
    if (!media || media.length !== owners.length) throw this.#unusable('its media lines are not those of the parties');
    const streams: ForkStream[] = [];
    const refusals = media.map((line, index) => {
      const owner = owners[index];
      // Labels do not follow when tags are reordered; then line and owner disagree and attribution would be wrong.
      if (line.label === undefined || line.label !== owner?.label) throw this.#unusable('its labels do not match');
      const party = parties.find((one) => one === owner.tag && !streams.some((stream) => stream.party === one));
      if (party === undefined || line.type !== 'audio' || line.port === 0) return refusal(line);
      streams.push(this.#stream(party, line));
      return undefined;
    });
    if (streams.map((stream) => stream.party).join() !== parties.join())
      throw this.#unusable('a party has no audio to fork');
    return { streams, refusals };
  }

  #stream(party: Party, line: ForkMedia): ForkStream {
    const [crypto, ...more] = line.cryptos;
    if (
      line.protocol !== 'RTP/SAVP' ||
      crypto === undefined ||
      more.length > 0 ||
      crypto.split(' ')[1] !== recorderSuite
    )
      throw this.#unusable('it does not offer exactly the suite asked for');
    const payloadTypes = line.formats.map(Number).filter((type) => Number.isInteger(type) && type < 96);
    const { address, port, rtcpPort, telephoneEvent } = line;
    return { party, address, port, rtcpPort, crypto, payloadTypes, telephoneEvent };
  }

  #unusable(why: string): SidestreamError {
    return new SidestreamError('media-refused', `${this.description} gave an unusable reply: ${why}`);
  }
}

/** What every offer and answer of a party says. See README.md for why. */
function partyMedia(party: Party, sdp: string): NgDictionary {
  return {
    sdp,
    label: party,
    replace: ['origin', 'session-connection'],
    ICE: 'remove',
    DTLS: 'off',
    // An offerer who wants one port for RTP and RTCP gets it; the other party sees two ports, which everybody can do.
    'rtcp-mux': ['demux'],
  };
}

/** A fork that comes to be sealed gets another tag: the engine would send in clear where the one before it sent. */
function forkTag({ id, sealed: isSealed }: EngineFork): string {
  return `${isSealed ? sealedForkPrefix : forkPrefix}${id}`;
}

function sealTags(fork: EngineFork): { 'from-tag': string; 'to-tag': string } {
  return { 'from-tag': forkTag(fork), 'to-tag': `recorder/${fork.id}` };
}

function other(party: Party): Party {
  return party === 'customer' ? 'seller' : 'customer';
}

function refusal({ type, protocol, formats }: ForkMedia): string {
  return `m=${type} 0 ${protocol} ${formats.join(' ')}`;
}
