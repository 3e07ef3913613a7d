// For tests: runs one of our scenarios for sipp (strangers/*.xml) through one call.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { freeTcpPort, freeUdpPort, runSipp, sippListens } from '@sidestream/peers';
import { formatHostPort } from '../message/host.js';
import type { HostPort } from '../transport/flow.js';

type Protocol = 'udp' | 'tcp';

/** A scenario that waits for a call. */
export interface Waiting {
  readonly address: HostPort;
  readonly uri: string;
  /** Resolves when the call went as the scenario says, rejects with what sipp printed when it did not. */
  readonly done: Promise<void>;
}

/** sipp sends the scenario's first request to `server`; its request URI is `uri`. */
export async function sippCalls(scenario: string, protocol: Protocol, server: HostPort, uri: string): Promise<void> {
  await run(scenario, protocol, await freePort(protocol), [
    formatHostPort(server.host, server.port),
    '-key',
    'uri',
    uri,
  ]);
}

/** sipp waits for the scenario's first request. */
export async function sippWaits(scenario: string, protocol: Protocol): Promise<Waiting> {
  const port = await freePort(protocol);
  const done = run(scenario, protocol, port, []);
  // Until somebody waits for it.
  done.catch(() => undefined);
  await sippListens(protocol, port);
  return { address: { host: '127.0.0.1', port }, uri: `sip:sipp@127.0.0.1:${port};transport=${protocol}`, done };
}

async function run(scenario: string, protocol: Protocol, port: number, args: readonly string[]): Promise<void> {
  const file = fileURLToPath(new URL(`../../strangers/${scenario}.xml`, import.meta.url));
  const local = ['-t', protocol === 'udp' ? 'u1' : 't1', '-i', '127.0.0.1', '-p', String(port)];
  const bounds = ['-m', '1', '-timeout', '20', '-timeout_error'];
  const all = ['-sf', file, ...args, ...local, ...bounds];
  const { code, output } = await runSipp(all, AbortSignal.timeout(30_000));
  assert.equal(code, 0, `${scenario}: ${output}`);
}

function freePort(protocol: Protocol): Promise<number> {
  return protocol === 'udp' ? freeUdpPort() : freeTcpPort();
}
