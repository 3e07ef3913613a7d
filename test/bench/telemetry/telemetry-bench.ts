// `bench telemetry`: what scraping and tracing cost. Two deployments that differ in nothing but tracing take turns with the same calls, in
// short slices, so that what else the machine does is the same for all; each is scraped in every second one of its slices.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LaboratoryConfig } from '@sidestream/cli';
import { CallSite } from '../call/call-site.js';
import { cpuMs } from '../call/process-usage.js';
import { median, type Report, rounded, thisMachine } from '../report.js';

export interface TelemetryBenchOptions {
  readonly rounds: number;
  readonly rate: number;
  readonly seconds: number;
}

export const telemetryBenchDefaults: TelemetryBenchOptions = { rounds: 12, rate: 40, seconds: 5 };

export const telemetryBenchRemarks: Readonly<Record<string, string>> = {
  cpuMsPerCall: 'edge, signalling and media relay together; median of the rounds',
  noisePercent: 'half of the rounds without telemetry are within so much of each other',
  spans: 'that the collector took: a bench without any would measure nothing',
  cpuWithVsWithout: 'metrics and traces of a tenth; goal ≤ 1.05; median of the rounds’ own ratios',
  cpuMetricsVsWithout: 'scraping each 5 s alone',
  cpuTracesVsWithout: 'traces of a tenth alone',
};

const ours = ['sip-edge', 'signalling', 'media-relay'];
const scrapeMs = 5_000;
const sampleRatio = 0.1;
const holdMs = 1_000;
const maxLagMs = 10_000;
const maxTries = 3;
/** What is measured is how it is once it has run for a while: the compiler has seen scrapes and calls. */
const warmUpScrapes = 200;
const warmUpSlices = 2;
/** What Prometheus says that it takes. */
const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';

/** What is on in a slice. */
const kinds = ['none', 'metrics', 'traces', 'both'] as const;
type Kind = (typeof kinds)[number];
type Batch = Parameters<CallSite['run']>[0];

/** @throws Error when calls fail or are not recorded, three times in a row */
export async function telemetryBench(
  { rounds, rate, seconds }: TelemetryBenchOptions,
  progress: (line: string) => void,
): Promise<Report> {
  const machine = thisMachine();
  const collector = await Collector.start();
  const sites: CallSite[] = [];
  const batch = { calls: rate * seconds, callsPerSecond: rate, holdMs };
  const measured: Record<Kind, number>[] = [];
  try {
    const traced = await CallSite.start(
      (config) => {
        takeAll(config);
        config.telemetry = { traces: { endpoint: collector.endpoint, sampleRatio } };
      },
      { min: 12_000, max: 21_999 },
    );
    sites.push(traced);
    const plain = await CallSite.start(takeAll, { min: 22_000, max: 31_999 });
    sites.push(plain);
    progress(`warm-up: ${warmUpScrapes} scrapes and ${warmUpSlices * batch.calls} calls each`);
    for (const site of sites) {
      for (let i = 0; i < warmUpScrapes; i += 1) await scrape(site);
      for (let i = 0; i < warmUpSlices; i += 1) await cpuOf(site, batch);
    }
    for (let round = 0; round < rounds; round += 1) {
      progress(`round ${round + 1} of ${rounds}: four slices of ${batch.calls} calls at ${rate} a second`);
      const cpu = { none: 0, metrics: 0, traces: 0, both: 0 };
      for (const kind of inTurn(round)) {
        const site = kind === 'none' || kind === 'metrics' ? plain : traced;
        const isScraped = kind === 'metrics' || kind === 'both';
        cpu[kind] = await (isScraped ? scraped(site, () => cpuOf(site, batch)) : cpuOf(site, batch));
      }
      measured.push(cpu);
    }
  } finally {
    for (const site of sites) await site.stop();
    collector.close();
  }
  if (collector.spans === 0) throw new Error('the collector got no span');
  const ratio = (kind: Kind) => rounded(median(measured.map((one) => one[kind] / one.none)));
  const perCall = (kind: Kind) => rounded(median(measured.map((one) => one[kind])) / batch.calls);
  return {
    name: 'telemetry',
    figures: {
      cpuMsPerCall: Object.fromEntries(kinds.map((kind) => [kind, perCall(kind)])),
      noisePercent: rounded(100 * spread(measured.map((one) => one.none))),
      spans: collector.spans,
    },
    ratios: {
      cpuWithVsWithout: ratio('both'),
      cpuMetricsVsWithout: ratio('metrics'),
      cpuTracesVsWithout: ratio('traces'),
    },
    machine,
  };
}

/** A busy machine would have calls refused, which cost less than others. */
function takeAll(config: LaboratoryConfig): void {
  config.signalling = { ...config.signalling, maxLagMs };
}

/** Every kind is first, second, third and last equally often: the machine may be busier by and by. */
function inTurn(round: number): Kind[] {
  const first = round % kinds.length;
  return [...kinds.slice(first), ...kinds.slice(0, first)];
}

/** The distance of the quartiles, of the median. */
function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return (at(0.75) - at(0.25)) / at(0.5);
}

/** CPU time that our processes need for the batch, in ms. A slice in which a call fails is done again: it would cost something else. */
async function cpuOf(site: CallSite, batch: Batch): Promise<number> {
  const used = () => [...site.processes].reduce((sum, [name, pid]) => sum + (ours.includes(name) ? cpuMs(pid) : 0), 0);
  for (let left = maxTries; ; left -= 1) {
    const before = used();
    const { fault, orphans } = await site.run(batch);
    if (fault === undefined && orphans === 0) return used() - before;
    if (left === 1) throw new Error(fault ?? `${orphans} orphans`);
  }
}

/** The first scrape comes in the middle of the first interval. */
async function scraped<T>(site: CallSite, work: () => Promise<T>): Promise<T> {
  const next = () => {
    timer = setTimeout(next, scrapeMs);
    void scrape(site).catch(() => undefined);
  };
  let timer = setTimeout(next, scrapeMs / 2);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** All processes of the site at once. */
async function scrape(site: CallSite): Promise<void> {
  const signal = AbortSignal.timeout(scrapeMs);
  await Promise.all(
    site.managementUrls.map(async (url) => (await fetch(`${url}/metrics`, { headers: { accept }, signal })).text()),
  );
}

/** Takes traces, and counts their spans. */
class Collector {
  spans = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Collector> {
    const server = createServer();
    const collector = new Collector(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        collector.spans += String(Buffer.concat(chunks)).split('"spanId"').length - 1;
        response.end('{}');
      });
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
