// `bench pdd`: post-dial delay that we add, beside Kamailio with the same rtpengine: INVITE in to INVITE out, 200 in to 200 out.
import { median, type Report, rounded, thisMachine } from '../report.js';
import { type AddedDelays, PddSite, type Way } from './pdd-site.js';

export interface PddBenchOptions {
  /** Rounds that take turns. */
  readonly rounds: number;
  /** Calls of each way in a round. */
  readonly calls: number;
}

export const pddBenchDefaults: PddBenchOptions = { rounds: 5, calls: 60 };

export const pddBenchRemarks: Readonly<Record<string, string>> = {
  inviteMs: 'INVITE in to INVITE out, medians',
  ringingMs: '180 in to 180 out',
  answerMs: '200 in to 200 out',
  byHop:
    'means of ours: INVITE and 180 through edge, signalling, media relay and rtpengine; the answer in the last two',
  inviteVsKamailio: 'goal ≤ 2.5',
  answerVsKamailio: 'goal ≤ 2.5',
};

const ways: readonly Way[] = ['sidestream', 'kamailio', 'recorded'];
const goal = 2.5;
/** The just-in-time compiler is cold at first. */
const warmUpCalls = 200;

const histograms = {
  signalling: ['signalling', 'sidestream_post_dial_delay_seconds', ''],
  open: ['media-relay', 'sidestream_grpc_server_seconds', 'method="OpenSession"'],
  answer: ['media-relay', 'sidestream_grpc_server_seconds', 'method="AnswerSession"'],
  ngOffer: ['media-relay', 'sidestream_ng_request_seconds', 'command="offer"'],
  ngAnswer: ['media-relay', 'sidestream_ng_request_seconds', 'command="answer"'],
} as const;

type Readings = Record<keyof typeof histograms, { seconds: number; count: number }>;

/** @throws Error when a call fails */
export async function pddBench({ rounds, calls }: PddBenchOptions, progress: (line: string) => void): Promise<Report> {
  const machine = thisMachine();
  const site = await PddSite.start();
  try {
    for (const way of ways) {
      progress(`warm-up: ${warmUpCalls} calls by way of ${way}`);
      await site.run(way, warmUpCalls);
    }
    const all = new Map<Way, AddedDelays[]>(ways.map((way) => [way, []]));
    const before = await readings(site);
    for (let round = 1; round <= rounds; round += 1) {
      progress(`round ${round} of ${rounds}`);
      for (const way of ways) all.get(way)?.push(await site.run(way, calls));
    }
    const after = await readings(site);
    const of = (way: Way, what: keyof AddedDelays) => median((all.get(way) ?? []).map((one) => median(one[what])));
    const each = (what: keyof AddedDelays) => Object.fromEntries(ways.map((way) => [way, rounded(of(way, what))]));
    const ours = [...(all.get('sidestream') ?? []), ...(all.get('recorded') ?? [])];
    const figures = {
      inviteMs: each('invite'),
      ringingMs: each('ringing'),
      answerMs: each('answer'),
      byHop: byHop(
        mean(ours.flatMap(({ invite }) => invite)) + mean(ours.flatMap(({ ringing }) => ringing)),
        before,
        after,
      ),
    };
    const ratios = {
      inviteVsKamailio: rounded(of('sidestream', 'invite') / of('kamailio', 'invite')),
      answerVsKamailio: rounded(of('sidestream', 'answer') / of('kamailio', 'answer')),
      recordedAnswerVsKamailio: rounded(of('recorded', 'answer') / of('kamailio', 'answer')),
    };
    const missed = Math.max(ratios.inviteVsKamailio, ratios.answerVsKamailio) > goal;
    return { name: 'pdd', figures, ratios, ...(missed && { note: dearest(figures.byHop) }), machine };
  } finally {
    await site.stop();
  }
}

async function readings(site: PddSite): Promise<Readings> {
  const read = (of: keyof typeof histograms) => {
    const [service, name, labels] = histograms[of];
    return site.histogram(service, name, labels);
  };
  const [signalling, open, answer, ngOffer, ngAnswer] = await Promise.all([
    read('signalling'),
    read('open'),
    read('answer'),
    read('ngOffer'),
    read('ngAnswer'),
  ]);
  return { signalling, open, answer, ngOffer, ngAnswer };
}

/** What is left of the way over the wire when each hop's own measure of what lies behind it is taken away. */
function byHop(wireMs: number, before: Readings, after: Readings): Record<string, number> {
  const meanMs = (of: keyof Readings) =>
    (1_000 * (after[of].seconds - before[of].seconds)) / (after[of].count - before[of].count);
  return {
    edge: rounded(wireMs - meanMs('signalling')),
    signalling: rounded(meanMs('signalling') - meanMs('open')),
    mediaRelay: rounded(meanMs('open') - meanMs('ngOffer')),
    rtpengine: rounded(meanMs('ngOffer')),
    answerMediaRelay: rounded(meanMs('answer') - meanMs('ngAnswer')),
    answerRtpengine: rounded(meanMs('ngAnswer')),
  };
}

/** Names the hop that costs most of what INVITE and 180 take. */
function dearest({ edge = 0, signalling = 0, mediaRelay = 0, rtpengine = 0 }: Record<string, number>): string {
  const hops = Object.entries({ edge, signalling, mediaRelay, rtpengine }).sort(([, a], [, b]) => b - a);
  const all = rounded(hops.reduce((sum, [, ms]) => sum + ms, 0));
  const [[name, ms] = ['no hop', 0]] = hops;
  return `the goal of ${goal} is missed: ${name} costs ${ms} of ${all} ms`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}
