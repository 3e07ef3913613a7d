// Being a process: the same start, ready line, signals and stop for every service.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { ConfigError } from './config/config-error.js';
import type { TracesConfig } from './config/telemetry-schema.js';
import { Health } from './health.js';
import { createLogger, type Logger } from './log.js';
import { ManagementServer } from './management-server.js';
import { startTracing } from './tracing/start-tracing.js';

/** Argument of a service process whose standard input is a pipe from its supervisor: it stops when the pipe closes. */
export const supervisedFlag = '--supervised';

/** What a service is given to work with. */
export interface ServiceContext<C> {
  readonly config: C;
  /** Name of this instance, unique among those of its kind. */
  readonly instance: string;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly health: Health;
  /** The management port, for further pages. */
  readonly management: Pick<ManagementServer, 'serve'>;
  /** Aborts when the process is told to stop. */
  readonly shutdown: AbortSignal;
}

/** A service that runs: where it can be reached, and how it ends (drain included). */
export interface RunningService {
  readonly addresses: Record<string, string>;
  /** Whether it was told to take nothing new, beside being told to stop; absent: it can't be told. */
  isDraining?(): boolean;
  stop(): Promise<void>;
}

/** What runService needs of a service's own configuration. */
export interface ProcessConfig {
  readonly instance: string;
  /** Of a service that belongs to a cell: a label of all its metrics. */
  readonly region?: string;
  readonly log: { readonly level: string };
  readonly management: { readonly listen: string; readonly allow?: readonly string[] | undefined };
  readonly telemetry: { readonly traces?: TracesConfig | undefined };
}

export interface ServiceDefinition<C extends ProcessConfig> {
  readonly name: string;
  /** Reads the configuration; a ConfigError is printed as it is and ends the process with 2. */
  readConfig(): C;
  start(context: ServiceContext<C>): Promise<RunningService>;
  /** How long stop() may take, in ms, before the process ends anyway. */
  stopDeadlineMs?(config: C): number;
}

/**
 * Runs a service until SIGTERM or SIGINT. Stdout gets JSON lines only: `{"ready":false,"addresses":…,"waitingFor":…}`
 * while something is missing, `{"ready":true,"addresses":…}` once all is there.
 *
 * Exit codes: 0 stopped as told, 1 failed, 2 wrong configuration.
 */
export async function runService<C extends ProcessConfig>(definition: ServiceDefinition<C>): Promise<void> {
  let config: C;
  try {
    config = definition.readConfig();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof ConfigError ? 2 : 1);
  }
  const log = createLogger({ name: definition.name, instance: config.instance, level: config.log.level });
  const metrics = new Registry();
  metrics.setDefaultLabels({ service: definition.name, ...(config.region !== undefined && { region: config.region }) });
  collectDefaultMetrics({ register: metrics });
  const health = new Health();
  const shutdown = stopSignal(log);
  let running: RunningService | undefined;
  tellState(metrics, health, () => shutdown.signal.aborted || running?.isDraining?.() === true);

  // A fault that nobody caught leaves unknown state behind: say it and let the supervisor start a clean process.
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ err: error }, `${event}: the process ends`);
      process.exit(1);
    });
  }

  try {
    const management = new ManagementServer(metrics, health, config.management.allow);
    const managementAddress = await management.listen(config.management.listen);
    const { traces } = config.telemetry;
    const { instance } = config;
    const tracing =
      traces && (await startTracing({ service: definition.name, instance, config: traces, log, metrics }));
    const service = await definition.start({
      config,
      instance: config.instance,
      log,
      metrics,
      health,
      management,
      shutdown: shutdown.signal,
    });
    running = service;
    const addresses = { ...service.addresses, management: `http://${managementAddress}` };
    await announceReady(health, addresses, shutdown.signal, log);
    await aborted(shutdown.signal);
    health.set('process', false, 'stopping');
    await stopWithin(service, definition.stopDeadlineMs?.(config) ?? 10_000, log);
    await tracing?.stop();
    await management.close();
    process.exit(0);
  } catch (error) {
    log.fatal({ err: error }, 'the service can not start');
    process.exit(1);
  }
}

/** Read at each scrape. Every process of ours has these metrics and nobody else's: by the first alerts know our processes. */
function tellState(metrics: Registry, health: Health, isDraining: () => boolean): void {
  new Gauge({
    name: 'sidestream_ready',
    help: 'Whether the process can do its work: 1, or 0 while something is missing that /readyz names.',
    registers: [metrics],
    collect() {
      this.set(health.ready ? 1 : 0);
    },
  });
  new Gauge({
    name: 'sidestream_draining',
    help: '1 while the instance takes nothing new, and waits for what it has to end; also while it stops.',
    registers: [metrics],
    collect() {
      this.set(isDraining() ? 1 : 0);
    },
  });
}

function stopSignal(log: Logger): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) return;
      log.info({ signal }, 'stopping');
      controller.abort(new Error(signal));
    });
  }
  if (process.argv.includes(supervisedFlag)) {
    // The supervisor's end of this pipe closes however it ends, also by SIGKILL: no service outlives it.
    process.stdin.on('close', () => {
      if (controller.signal.aborted) return;
      log.warn('the supervisor is gone: stopping');
      controller.abort(new Error('the supervisor is gone'));
    });
    process.stdin.resume();
  }
  return controller;
}

async function announceReady(
  health: Health,
  addresses: Record<string, string>,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  if (!health.ready) {
    log.warn({ waitingFor: health.problems }, 'not ready yet');
    printLine({ ready: false, addresses, waitingFor: health.problems });
  }
  try {
    await health.whenReady(signal);
  } catch {
    return;
  }
  log.info({ addresses }, 'ready');
  printLine({ ready: true, addresses });
}

async function stopWithin(service: RunningService, deadlineMs: number, log: Logger): Promise<void> {
  const timer = setTimeout(() => {
    log.error({ deadlineMs }, 'did not stop in time: the process ends');
    process.exit(1);
  }, deadlineMs);
  await service.stop();
  clearTimeout(timer);
  log.info('stopped');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function printLine(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
