// `bench telemetry`: what scraping and tracing cost. Two deployments take turns with the same calls: one is scraped each 5 s and traces a
// tenth of its calls to a collector here, the other one is left alone.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CallSite } from '../call/call-site.js';
import { cpuMs } from '../call/process-usage.js';
import { median, type Report, rounded, thisMachine } from '../report.js';

export interface TelemetryBenchOptions {
  readonly rounds: number;
  readonly rate: number;
  readonly seconds: number;
}

export const telemetryBenchDefaults: TelemetryBenchOptions = { rounds: 7, rate: 40, seconds: 10 };

export const telemetryBenchRemarks: Readonly<Record<string, string>> = {
  cpuMsPerCallWith: 'edge, signalling and media relay together; median of the rounds',
  cpuMsPerCallWithout: 'the same calls, neither scraped nor traced',
  spans: 'that the collector took: a bench without any would measure nothing',
  cpuWithVsWithout: 'goal ≤ 1.05; median of the rounds’ own ratios',
};

const ours = ['sip-edge', 'signalling', 'media-relay'];
const scrapeMs = 5_000;
const sampleRatio = 0.1;
const holdMs = 1_000;
/** What Prometheus says that it takes. */
const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';

/** @throws Error when a call fails or is not recorded */
export async function telemetryBench(
  { rounds, rate, seconds }: TelemetryBenchOptions,
  progress: (line: string) => void,
): Promise<Report> {
  const machine = thisMachine();
  const collector = await Collector.start();
  const traced = await CallSite.start(
    (config) => {
      config.telemetry = { traces: { endpoint: collector.endpoint, sampleRatio } };
    },
    { min: 12_000, max: 21_999 },
  );
  const plain = await CallSite.start(undefined, { min: 22_000, max: 31_999 });
  const calls = rate * seconds;
  const batch = { calls, callsPerSecond: rate, holdMs };
  const measured: { readonly with: number; readonly without: number }[] = [];
  try {
    progress(`warm-up: ${calls} calls each`);
    await cpuOf(plain, batch);
    await scraped(traced, () => cpuOf(traced, batch));
    for (let round = 1; round <= rounds; round += 1) {
      progress(`round ${round} of ${rounds}: ${calls} calls each at ${rate} a second`);
      const withIt = () => scraped(traced, () => cpuOf(traced, batch));
      const without = () => cpuOf(plain, batch);
      // Who is first changes: the machine may be busier by and by.
      const first = round % 2 === 0 ? await withIt() : await without();
      const second = round % 2 === 0 ? await without() : await withIt();
      measured.push(round % 2 === 0 ? { with: first, without: second } : { with: second, without: first });
    }
  } finally {
    await traced.stop();
    await plain.stop();
    collector.close();
  }
  if (collector.spans === 0) throw new Error('the collector got no span');
  return {
    name: 'telemetry',
    figures: {
      cpuMsPerCallWith: rounded(median(measured.map((one) => one.with)) / calls),
      cpuMsPerCallWithout: rounded(median(measured.map((one) => one.without)) / calls),
      spans: collector.spans,
    },
    ratios: { cpuWithVsWithout: rounded(median(measured.map((one) => one.with / one.without))) },
    machine,
  };
}

/** CPU time that our processes need for the batch, in ms. */
async function cpuOf(site: CallSite, batch: Parameters<CallSite['run']>[0]): Promise<number> {
  const used = () => [...site.processes].reduce((sum, [name, pid]) => sum + (ours.includes(name) ? cpuMs(pid) : 0), 0);
  const before = used();
  const { fault, orphans } = await site.run(batch);
  if (fault !== undefined) throw new Error(fault);
  if (orphans > 0) throw new Error(`${orphans} orphans`);
  return used() - before;
}

async function scraped<T>(site: CallSite, work: () => Promise<T>): Promise<T> {
  const scrape = () => {
    for (const url of site.managementUrls)
      void fetch(`${url}/metrics`, { headers: { accept }, signal: AbortSignal.timeout(scrapeMs) })
        .then((answer) => answer.text())
        .catch(() => undefined);
  };
  const timer = setInterval(scrape, scrapeMs);
  scrape();
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
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
