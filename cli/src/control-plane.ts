// How a command reaches a control-plane service: the configuration names NATS, a lease there names the instance.
import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelCredentials, Client } from '@grpc/grpc-js';
import {
  Bus,
  type BusSession,
  channelCredentials,
  createLogger,
  isUnanswered,
  LeaseBook,
  parseHostPort,
  type SidestreamConfig,
  SidestreamError,
} from '@sidestream/service';
import { InvalidArgumentError } from 'commander';
import { Registry } from 'prom-client';
import { z } from 'zod';

export type ControlService = 'policy-sync' | 'registration';

/** Where the service is looked for. */
export interface ControlPlaneOptions {
  readonly config: SidestreamConfig;
  readonly service: ControlService;
  /** `host:port`: this instance and no other; NATS is not asked. */
  readonly address?: string | undefined;
}

const connectDeadlineMs = 5_000;
/** Leases of live instances are there at once; a new one becomes active within this time unless something is wrong. */
const activeDeadlineMs = 3_000;
/** Another instance takes over within this time. */
const takeOverMs = 15_000;
const againMs = 500;
const log = createLogger({ name: 'sidestream', instance: 'cli', level: 'silent' });

const lease = z.object({ address: z.string(), active: z.boolean() });
type Lease = z.infer<typeof lease>;

/**
 * Calls an instance of the service, the active one if there is one. The client is closed afterwards. While another one takes over
 * it is called again, unless an address was given.
 *
 * @param make a generated client's class: `PolicyServiceClient`
 * @param use may be called several times
 * @throws SidestreamError `not-ready`, saying what was looked for and where, when no instance is found; what `use` throws
 */
export async function callInstance<C extends Client, R>(
  options: ControlPlaneOptions,
  make: new (address: string, credentials: ChannelCredentials) => C,
  use: (client: C) => Promise<R>,
): Promise<R> {
  const end = Date.now() + takeOverMs;
  for (;;) {
    const address = options.address ?? (await findInstance(options));
    const client = new make(address, channelCredentials(options.service, options.config.grpc.tls));
    try {
      return await use(client);
    } catch (thrown) {
      const error = callError(`${options.service} at ${address}`, thrown);
      // The one that was active may have stopped, or died, a moment ago.
      if (options.address !== undefined || !isGone(error) || Date.now() >= end) throw error;
    } finally {
      client.close();
    }
    // Not pause() of our services: nothing else keeps this process alive meanwhile.
    await delay(againMs);
  }
}

/** Whether an instance that was called has died, or is not the active one any more. */
export function isGone({ code }: SidestreamError): boolean {
  return code === 'not-active' || code === 'relay-unavailable';
}

/** What became of a call to `who`, which gRPC's own words for a connection that failed don't name. */
export function callError(who: string, thrown: unknown): SidestreamError {
  const error = SidestreamError.from(thrown);
  if (!isUnanswered(error)) return error;
  const reason = /Last error: (?:Error: )?(.*?)\.? Resolution note:/s.exec(error.message)?.[1] ?? error.message;
  return new SidestreamError(error.code, `${who} can't be reached: ${reason}`);
}

/** `--address` as commander hands it on. @throws InvalidArgumentError: a wrong command line */
export function readAddress(text: string): string {
  try {
    parseHostPort(text);
    return text;
  } catch {
    throw new InvalidArgumentError('It must be host:port.');
  }
}

async function findInstance({ config, service }: ControlPlaneOptions): Promise<string> {
  const address = await withLeases({ config, prefix: `${service}.`, schema: lease }, firstActive);
  if (address !== undefined) return address;
  const where = `NATS at ${config.nats.servers.join(', ')} has no lease ${service}.*`;
  throw new SidestreamError('not-ready', `no ${service} instance is running: ${where}`);
}

/**
 * Reads leases of NATS while `use` runs, which starts the book.
 *
 * @throws SidestreamError `not-ready` without NATS
 */
export async function withLeases<T, R>(
  { config: { nats }, prefix, schema }: { config: SidestreamConfig; prefix: string; schema: z.ZodType<T> },
  use: (book: LeaseBook<T>) => Promise<R>,
): Promise<R> {
  return withBus(nats, "; with --address it isn't needed", async (bus) => {
    const book = new LeaseBook<T>(bus, { prefix, schema, log });
    try {
      return await use(book);
    } finally {
      book.stop();
    }
  });
}

/** Gives the live session. @throws SidestreamError `not-ready` without NATS */
export function withNats<R>({ nats }: SidestreamConfig, use: (session: BusSession) => Promise<R>): Promise<R> {
  return withBus(nats, '', (_bus, session) => use(session));
}

async function withBus<R>(
  nats: SidestreamConfig['nats'],
  hint: string,
  use: (bus: Bus, session: BusSession) => Promise<R>,
): Promise<R> {
  const bus = Bus.open({ nats, name: 'sidestream', log, metrics: new Registry() });
  const servers = nats.servers.join(', ');
  // Not AbortSignal.timeout(): its timer would not keep the process alive until the error is told.
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), connectDeadlineMs);
  try {
    const session = await bus.whenConnected(deadline.signal).catch(() => {
      throw new SidestreamError('not-ready', `NATS at ${servers} doesn't answer${hint}`);
    });
    clearTimeout(timer);
    return await use(bus, session);
  } finally {
    clearTimeout(timer);
    await bus.close();
  }
}

/** The active instance; after a while any other. */
function firstActive(book: LeaseBook<Lease>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve([...book.current.values()][0]?.address), activeDeadlineMs);
    book.onRefresh(() => {
      const active = [...book.current.values()].find((one) => one.active);
      if (active === undefined) return;
      clearTimeout(timer);
      resolve(active.address);
    });
    book.start();
  });
}
