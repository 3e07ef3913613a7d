// `bench telemetry`: what scraping and tracing cost. Four deployments, that differ in nothing else, do the same calls at the same time: what else
// the machine does meanwhile costs each of them the same.
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

export const telemetryBenchDefaults: TelemetryBenchOptions = { rounds: 12, rate: 10, seconds: 15 };

export const telemetryBenchRemarks: Readonly<Record<string, string>> = {
  cpuMsPerCall: 'edge, signalling and media relay together; median of the rounds',
  spreadPercent: 'half of the ratios of the rounds are within so much of each other',
  spans: 'that the collector took: a bench without any would measure nothing',
  cpuWithVsWithout: 'metrics and traces of a tenth; goal ≤ 1.05; median of the rounds’ own ratios',
  cpuMetricsVsWithout: 'scraping alone',
  cpuTracesVsWithout: 'traces of a tenth alone',
};

const ours = ['sip-edge', 'signalling', 'media-relay'];
/** Twice as often as the PodMonitors of the chart ask. */
const scrapeMs = 15_000;
const sampleRatio = 0.1;
const holdMs = 1_000;
/** A busy machine would have calls refused, which cost less than others. */
const maxLagMs = 10_000;
/** What is measured is how it is once it has run for a while: the compiler has seen scrapes and calls. */
const warmUpScrapes = 200;
const warmUpRounds = 2;
const maxTries = 3;
/** What Prometheus says that it takes. */
const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';

const kinds = ['none', 'metrics', 'traces', 'both'] as const;
type Kind = (typeof kinds)[number];
type PerKind<T> = Readonly<Record<Kind, T>>;
type Batch = Parameters<CallSite['run']>[0];

/** @throws Error when calls fail or are not recorded, three times in a row */
export async function telemetryBench(
  { rounds, rate, seconds }: TelemetryBenchOptions,
  progress: (line: string) => void,
): Promise<Report> {
  const machine = thisMachine();
  const collector = await Collector.start();
  const endings: (() => Promise<void> | void)[] = [() => collector.close()];
  const batch = { calls: rate * seconds, callsPerSecond: rate, holdMs };
  const measured: PerKind<number>[] = [];
  try {
    progress('four deployments: with neither, metrics, traces, both');
    const start = async (kind: Kind, nth: number) => {
      const ports = { min: 12_000 + nth * 5_000, max: 16_999 + nth * 5_000 };
      const site = await CallSite.start((config) => configure(config, kind, collector.endpoint), ports);
      endings.push(() => site.stop());
      return site;
    };
    const sites = {
      none: await start('none', 0),
      metrics: await start('metrics', 1),
      traces: await start('traces', 2),
      both: await start('both', 3),
    };
    const scraped = [sites.metrics, sites.both];
    progress(`warm-up: ${warmUpScrapes} scrapes and ${warmUpRounds * batch.calls} calls each`);
    for (let i = 0; i < warmUpScrapes; i += 1) for (const site of scraped) await scrape(site);
    for (let i = 0; i < warmUpRounds; i += 1) await cpuOf(sites, batch);
    const timer = setInterval(() => scraped.forEach((site) => void scrape(site).catch(() => undefined)), scrapeMs);
    endings.push(() => clearInterval(timer));
    for (let round = 1; round <= rounds; round += 1) {
      progress(`round ${round} of ${rounds}: ${batch.calls} calls each, at ${rate} a second`);
      measured.push(await cpuOf(sites, batch));
    }
  } finally {
    for (const end of endings.reverse()) await end();
  }
  if (collector.spans === 0) throw new Error('the collector got no span');
  const ratios = (kind: Kind) => measured.map((one) => one[kind] / one.none);
  const perCall = (kind: Kind) => rounded(median(measured.map((one) => one[kind])) / batch.calls);
  return {
    name: 'telemetry',
    figures: {
      cpuMsPerCall: Object.fromEntries(kinds.map((kind) => [kind, perCall(kind)])),
      spreadPercent: rounded(100 * spread(ratios('both'))),
      spans: collector.spans,
    },
    ratios: {
      cpuWithVsWithout: rounded(median(ratios('both'))),
      cpuMetricsVsWithout: rounded(median(ratios('metrics'))),
      cpuTracesVsWithout: rounded(median(ratios('traces'))),
    },
    machine,
  };
}

function configure(config: LaboratoryConfig, kind: Kind, endpoint: string): void {
  config.signalling = { ...config.signalling, maxLagMs };
  if (kind === 'traces' || kind === 'both') config.telemetry = { traces: { endpoint, sampleRatio } };
}

/** CPU time that our processes need for the batch, in ms. A round in which a call fails is done again: it would cost something else. */
async function cpuOf(sites: PerKind<CallSite>, batch: Batch): Promise<PerKind<number>> {
  for (let left = maxTries; ; left -= 1) {
    const before = used(sites);
    const results = await Promise.all(kinds.map((kind) => sites[kind].run(batch)));
    const after = used(sites);
    const bad = results.find(({ fault, orphans }) => fault !== undefined || orphans > 0);
    if (bad === undefined) return perKind((kind) => after[kind] - before[kind]);
    if (left === 1) throw new Error(bad.fault ?? `${bad.orphans} orphans`);
  }
}

function used(sites: PerKind<CallSite>): PerKind<number> {
  return perKind((kind) =>
    [...sites[kind].processes].reduce((sum, [name, pid]) => sum + (ours.includes(name) ? cpuMs(pid) : 0), 0),
  );
}

function perKind<T>(of: (kind: Kind) => T): PerKind<T> {
  return { none: of('none'), metrics: of('metrics'), traces: of('traces'), both: of('both') };
}

/** The distance of the quartiles, of the median. */
function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return (at(0.75) - at(0.25)) / at(0.5);
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
