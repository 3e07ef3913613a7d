// Reads the `tags` of rtpengine 10.5's reply to `query`. It counts per stream what came in and what could not be sent out; what was
// sent it does not say before 11.1, and ICMP errors never reach it, since its sockets are not connected.
import type { ForkLine, Party, Reception, Traffic } from '../domain/ports.js';
import { asDictionary, asList, type NgDictionary } from './ng-message.js';

/** Tags of forks; a fork that comes to be sealed gets the other one, and is the other one from then on. */
export const forkPrefix = 'fork/';
export const sealedForkPrefix = 'sealed/';
const parties: readonly Party[] = ['customer', 'seller'];

/** @param reply to `query` */
export function readTraffic(reply: NgDictionary): Traffic {
  const tags = asDictionary(reply['tags']);
  const media = Object.fromEntries(
    Object.entries(tags).map(([tag, monologue]) => [tag, readMedia(asDictionary(monologue))]),
  );
  const received = parties.map((party) => {
    const streams = (media[party] ?? []).flatMap((one) => one.streams).filter(({ rtp }) => rtp);
    return { party, packets: sum(streams, 'packets'), bytes: sum(streams, 'bytes') };
  });
  // The first audio is the one that is forked.
  const voice = (party: Party) =>
    sum(
      media[party]?.find(({ type }) => type === 'audio')?.streams.filter(({ rtp }) => rtp),
      'packets',
    );
  const forksUnder = (prefix: string) =>
    Object.entries(tags)
      .filter(([tag]) => tag.startsWith(prefix))
      .map(([tag, monologue]) => {
        const of = asList(asDictionary(monologue)['subscriptions']).map((one) => asDictionary(one)['tag']);
        const lines = (media[tag] ?? []).map(forkLine);
        return [tag.slice(prefix.length), { parties: parties.filter((party) => of.includes(party)), lines }] as const;
      });
  return {
    parties: received.filter(({ packets }) => packets > 0),
    voices: { customer: voice('customer'), seller: voice('seller') },
    receptions: Object.values(asDictionary(reply['SSRC'])).map(asDictionary).flatMap(reception),
    forks: new Map([...forksUnder(forkPrefix), ...forksUnder(sealedForkPrefix)]),
  };
}

/** Where the engine listens for a session, which need not be what it tells others. @param reply to `query` */
export function ownAddress(reply: NgDictionary): string | undefined {
  return Object.values(asDictionary(reply['tags']))
    .flatMap((monologue) => asList(asDictionary(monologue)['medias']))
    .flatMap((media) => asList(asDictionary(media)['streams']))
    .map((stream) => asDictionary(stream)['local address'])
    .find((address) => typeof address === 'string');
}

/** Nothing where RTCP of both sides has not told the round trip, without which the engine makes no score and shows no loss. */
function reception(stream: NgDictionary): Reception[] {
  const { MOS: tenths } = asDictionary(stream['average MOS']);
  if (tenths === undefined) return [];
  const lost = Number(stream['cumulative loss'] ?? 0);
  // RFC 3550 §6.4.1: 24 bits with a sign, negative with more duplicates than losses; the engine shows them without one.
  return [{ lostPackets: lost < 0x80_0000 ? lost : 0, mos: Number(tenths) / 10 }];
}

interface Stream {
  readonly rtp: boolean;
  readonly port: number;
  readonly packets: number;
  readonly bytes: number;
  readonly errors: number;
}

interface Media {
  readonly type: string;
  readonly streams: readonly Stream[];
}

function readMedia(monologue: NgDictionary): Media[] {
  return asList(monologue['medias'])
    .map(asDictionary)
    .map(({ type, streams }) => ({ type: String(type), streams: asList(streams).map(asDictionary).map(readStream) }));
}

function readStream({ flags, endpoint, stats }: NgDictionary): Stream {
  const { packets, bytes, errors } = asDictionary(stats);
  return {
    rtp: asList(flags).includes('RTP'),
    port: Number(asDictionary(endpoint)['port'] ?? 0),
    packets: Number(packets ?? 0),
    bytes: Number(bytes ?? 0),
    errors: Number(errors ?? 0),
  };
}

/** What comes from a recorder comes to the RTCP port, or, where it does as RFC 4961 does not say, to the other one. */
function forkLine({ streams }: Media): ForkLine {
  const [voice] = streams.filter(({ rtp }) => rtp);
  return { taken: (voice?.port ?? 0) !== 0, failed: voice?.errors ?? 0, returned: sum(streams, 'packets') };
}

function sum(streams: readonly Stream[] = [], what: 'packets' | 'bytes'): number {
  return streams.reduce((total, stream) => total + stream[what], 0);
}
