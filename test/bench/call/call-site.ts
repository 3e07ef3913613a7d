// A deployment under load: the laboratory's services with sipp on both sides and a recorder sink; runs batches of calls.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { customerHost, Laboratory, type LaboratoryConfig, listedSeller, sellerHost } from '@sidestream/cli';
import { eventually, freeTcpPort, freeUdpPort, runSipp } from '@sidestream/peers';
import { TlsIdentity } from '@sidestream/sip';
import { RecorderSink } from './recorder-sink.js';

const uasScenario = fileURLToPath(new URL('../../../bench/call/uas.xml', import.meta.url));
/** A call takes eight ports: two for each leg and each forked stream. */
const allMediaPorts = { min: 12_000, max: 31_999 };
/** How long after its last call a batch may take to leave nothing behind. */
const settleMs = 20_000;

/** Calls at a steady rate. */
export interface Batch {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly holdMs: number;
}

/** How a batch went. */
export interface BatchResult {
  /** Calls that sipp counts as failed on either side, timed-out ones included. */
  readonly failed: boolean;
  /** What was wrong, in a word; absent for a clean batch. */
  readonly fault?: string;
  /** Dialogs, media sessions, recordings left after the settling time. */
  readonly orphans: number;
}

export class CallSite {
  readonly #laboratory: Laboratory;
  readonly #sink: RecorderSink;
  readonly #sellerPort: number;
  readonly #directory: string;

  private constructor(laboratory: Laboratory, sink: RecorderSink, sellerPort: number, directory: string) {
    this.#laboratory = laboratory;
    this.#sink = sink;
    this.#sellerPort = sellerPort;
    this.#directory = directory;
  }

  /**
   * @param configure changes the configuration before it is written
   * @param mediaPorts its own, where there are several sites at a time
   */
  static async start(configure?: (config: LaboratoryConfig) => void, mediaPorts = allMediaPorts): Promise<CallSite> {
    const recorderPort = await freeTcpPort('127.0.0.1');
    const sellerPort = await freeUdpPort(sellerHost);
    const directory = mkdtempSync(join(tmpdir(), 'sidestream-bench-'));
    const laboratory = await Laboratory.start({
      customerTarget: `${customerHost}:${await freeUdpPort(customerHost)}`,
      sellerTarget: `${sellerHost}:${sellerPort}`,
      recorder: false,
      mediaPorts,
      configure: (config) => {
        config.regions = { local: { recorders: [`sip:SRS@localhost:${recorderPort};transport=tls`] } };
        config.log = { level: 'warn' };
        configure?.(config);
      },
    });
    try {
      const credentials = await laboratory.authority.issue({ commonName: 'recorder', dnsNames: ['localhost'] });
      const files = await credentials.writeFiles(directory, 'recorder');
      const sink = await RecorderSink.start(recorderPort, new TlsIdentity(files));
      return new CallSite(laboratory, sink, sellerPort, directory);
    } catch (error) {
      await laboratory.stop();
      throw error;
    }
  }

  /** Where the gateway listens, if the configuration has one. */
  get gatewayUrl(): string {
    return this.#laboratory.deployment.status.addresses['gateway.http'] ?? '';
  }

  /** Where the metrics of our processes are. */
  get managementUrls(): readonly string[] {
    const { addresses } = this.#laboratory.deployment.status;
    return Object.entries(addresses).flatMap(([name, url]) => (name.endsWith('.management') ? [url] : []));
  }

  /** Process ids of what is measured, by name; `rtpengine` is reported beside ours. */
  get processes(): ReadonlyMap<string, number> {
    const services = [...this.#laboratory.deployment.services].map(([name, { pid }]) => [name, pid] as const);
    const all = [...services, ['rtpengine', this.#laboratory.rtpengine.pid] as const];
    return new Map(all.flatMap(([name, pid]) => (pid === undefined ? [] : [[name, pid] as const])));
  }

  /** Recordings that the sink has open. */
  get openRecordings(): number {
    return this.#sink.started - this.#sink.ended;
  }

  /** Places the calls of a batch and waits until everything has settled, or has not. */
  async run({ calls, callsPerSecond, holdMs }: Batch): Promise<BatchResult> {
    const before = this.#sink.started;
    const lastsMs = (calls / callsPerSecond) * 1_000 + holdMs;
    const over = new AbortController();
    const common = ['-m', String(calls), '-timeout', `${Math.ceil(lastsMs / 1_000) + 20}s`, '-timeout_error'];
    const uas = runSipp(
      ['-sf', uasScenario, '-i', sellerHost, '-p', String(this.#sellerPort), '-t', 'u1', ...common],
      over.signal,
    );
    const uac = runSipp(
      [
        ...['-sn', 'uac', this.#laboratory.sipAddress('udp'), '-s', listedSeller.number, '-i', customerHost],
        ...['-p', String(await freeUdpPort(customerHost)), '-t', 'u1', ...common],
        ...['-r', String(callsPerSecond), '-l', String(calls), '-d', String(holdMs)],
      ],
      over.signal,
    );
    const placed = await uac;
    if (placed.code !== 0) over.abort();
    const answered = await uas;
    const orphans = await this.#orphansAfterSettling();
    const recorded = this.#sink.started - before;
    const failed = placed.code !== 0 || answered.code !== 0;
    const fault = failed
      ? `calls failed: ${lastWords(placed.code === 0 ? answered.output : placed.output)}`
      : recorded < calls
        ? `${calls - recorded} calls not recorded`
        : undefined;
    return { failed, orphans, ...(fault !== undefined && { fault }) };
  }

  async stop(): Promise<void> {
    await this.#laboratory.stop();
    await this.#sink.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #orphansAfterSettling(): Promise<number> {
    const count = async () => {
      const left = Object.values(await this.#laboratory.orphans()).reduce((sum, one) => sum + one, 0);
      return left + this.openRecordings;
    };
    await eventually(async () => (await count()) === 0, 'nothing is left', settleMs).catch(() => undefined);
    return count();
  }
}

/** What sipp said last, on one line. */
function lastWords(output: string): string {
  return output.trim().split('\n').slice(-40).join('\n');
}
