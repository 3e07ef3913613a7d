// `bench events`: how soon after a call's answer its seller's dialer hears of it, and what idle dialers cost the gateway.
import { listedSeller } from '@sidestream/cli';
import { IssuerSimulator } from '@sidestream/simulators';
import { CallSite } from '../call/call-site.js';
import { pssKb } from '../call/process-usage.js';
import { median, type Report, rounded, thisMachine } from '../report.js';
import { Dialers } from './dialers.js';

export interface EventsBenchOptions {
  readonly clients: number;
  /** Calls a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly idle: number;
}

export const eventsBenchDefaults: EventsBenchOptions = { clients: 200, rate: 20, seconds: 20, idle: 5_000 };

export const eventsBenchRemarks: Readonly<Record<string, string>> = {
  p95Ms: 'answer to WIDGET_CALL_STARTED at the dialer, the recording’s set-up included; goal < 200',
  idleClientMB: 'all of the gateway’s process with the idle dialers connected; goal < 200',
  emptyMB: 'the same without any',
};

const audience = 'sidestream';
/** Longer than a recording takes to start, also on a busy machine. */
const holdMs = 4_000;

/** @throws Error when a call or a dialer fails, or an event is missing */
export async function eventsBench(options: EventsBenchOptions, progress: (line: string) => void): Promise<Report> {
  const { clients, rate, seconds, idle } = options;
  const machine = thisMachine();
  const issuer = await IssuerSimulator.start({ audience });
  const site = await CallSite.start((config) => {
    config.gateway = {
      issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience }],
      limits: { connections: 100_000, connectionsPerSecond: 10_000 },
    };
  });
  try {
    const pid = site.processes.get('gateway');
    if (pid === undefined) throw new Error('there is no gateway');
    const emptyKb = pssKb(pid);
    const delays: number[] = [];
    let ends = 0;
    const dialers = new Dialers(site.gatewayUrl, issuer);
    progress(`${clients} dialers, ${rate} calls a second for ${seconds} s`);
    // Every call is one seller's, and each seller has one dialer: an event goes to one of them, as it does in life.
    await dialers.open([listedSeller.id, ...sellers(clients - 1)], ({ event, payload, atMs }) => {
      if (event === 'WIDGET_CALL_ENDED') ends += 1;
      if (event === 'WIDGET_CALL_STARTED') delays.push(atMs - Date.parse(payload?.startTime ?? ''));
    });
    const calls = rate * seconds;
    const { fault } = await site.run({ calls, callsPerSecond: rate, holdMs });
    if (fault !== undefined) throw new Error(fault);
    if (delays.length !== calls || ends !== calls)
      throw new Error(`of ${calls} calls ${delays.length} starts and ${ends} ends were told`);
    await dialers.close();

    progress(`${idle} idle dialers`);
    const idlers = new Dialers(site.gatewayUrl, issuer);
    await idlers.open(sellers(idle), () => undefined);
    if (idlers.connected !== idle) throw new Error(`${idlers.connected} of ${idle} dialers are connected`);
    const idleKb = pssKb(pid);
    await idlers.close();
    const figures = {
      p95Ms: rounded(quantile(delays, 0.95)),
      medianMs: rounded(median(delays)),
      idleClientMB: rounded(idleKb / 1_024),
      emptyMB: rounded(emptyKb / 1_024),
    };
    return { name: 'events', figures, ratios: {}, machine };
  } finally {
    await site.stop();
    await issuer.close();
  }
}

function sellers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `seller-${index}`);
}

function quantile(values: readonly number[], of: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * of) - 1] ?? Number.NaN;
}
