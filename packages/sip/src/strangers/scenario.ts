// For tests: runs one of our scenarios for sipp (strangers/*.xml) through one call.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freeTcpPort, freeUdpPort, runSipp, sippListens } from '@sidestream/peers';
import { formatHostPort } from '../message/host.js';
import type { HostPort } from '../transport/flow.js';
import { Crossed } from './crossed.js';

type Protocol = 'udp' | 'tcp';

// What sipp itself says, by its log, that it sent and received.
const crossings = {
  'uac-call': {
    sent: 'INVITE, ACK, INVITE, ACK, UPDATE, OPTIONS, 200 INVITE, 200 UPDATE, 200 OPTIONS, BYE',
    received: '180 INVITE, 200 INVITE, 200 INVITE, 200 UPDATE, 200 OPTIONS, INVITE, ACK, UPDATE, OPTIONS, 200 BYE',
  },
  'uas-call': {
    sent: '180 INVITE, 200 INVITE, 200 INVITE, 200 UPDATE, 200 OPTIONS, INVITE, ACK, UPDATE, OPTIONS, BYE',
    received: 'INVITE, ACK, INVITE, ACK, UPDATE, OPTIONS, 200 INVITE, 200 UPDATE, 200 OPTIONS, 200 BYE',
  },
  'uac-reliable': {
    sent: 'INVITE, PRACK, UPDATE, 200 UPDATE, ACK, BYE',
    received: '183 INVITE, 200 PRACK, 200 UPDATE, UPDATE, 200 INVITE, 200 BYE',
  },
  'uas-reliable': {
    sent: '183 INVITE, 200 PRACK, 200 UPDATE, UPDATE, 200 INVITE, 200 BYE',
    received: 'INVITE, PRACK, UPDATE, 200 UPDATE, ACK, BYE',
  },
  'uac-cancel': { sent: 'INVITE, CANCEL, ACK', received: '180 INVITE, 200 CANCEL, 487 INVITE' },
  'uas-cancel': { sent: '180 INVITE, 200 CANCEL, 487 INVITE', received: 'INVITE, CANCEL, ACK' },
  'uac-options': { sent: 'OPTIONS', received: '200 OPTIONS' },
  'uas-options': { sent: '200 OPTIONS', received: 'OPTIONS' },
};

type Scenario = keyof typeof crossings;

/** A scenario that waits for a call. */
export interface Waiting {
  readonly address: HostPort;
  readonly uri: string;
  /** Resolves when the call went as the scenario says, rejects with what sipp printed when it did not. */
  readonly done: Promise<void>;
}

/** sipp sends the scenario's first request to `server`; its request URI is `uri`. */
export async function sippCalls(scenario: Scenario, protocol: Protocol, server: HostPort, uri: string): Promise<void> {
  await run(scenario, protocol, await freePort(protocol), [
    formatHostPort(server.host, server.port),
    '-key',
    'uri',
    uri,
  ]);
}

/** sipp waits for the scenario's first request. */
export async function sippWaits(scenario: Scenario, protocol: Protocol): Promise<Waiting> {
  const port = await freePort(protocol);
  const done = run(scenario, protocol, port, []);
  // Until somebody waits for it.
  done.catch(() => undefined);
  await sippListens(protocol, port);
  return { address: { host: '127.0.0.1', port }, uri: `sip:sipp@127.0.0.1:${port};transport=${protocol}`, done };
}

async function run(scenario: Scenario, protocol: Protocol, port: number, args: readonly string[]): Promise<void> {
  const file = fileURLToPath(new URL(`../../strangers/${scenario}.xml`, import.meta.url));
  const local = ['-t', protocol === 'udp' ? 'u1' : 't1', '-i', '127.0.0.1', '-p', String(port)];
  const bounds = ['-m', '1', '-timeout', '20', '-timeout_error'];
  const directory = await mkdtemp(join(tmpdir(), 'sidestream-scenario-'));
  try {
    const log = join(directory, 'messages.csv');
    const all = ['-sf', file, ...args, ...local, ...bounds, '-trace_shortmsg', '-shortmessage_file', log];
    const { code, output } = await runSipp(all, AbortSignal.timeout(30_000));
    assert.equal(code, 0, `${scenario}: ${output}`);
    const { sent, received } = crossed(await readFile(log, 'utf8'));
    // sipp has seen to the order, where there is one: a 487 may overtake the 200 of its CANCEL.
    assert.deepEqual([sent, received].map(sorted), Object.values(crossings[scenario]).map(sorted));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function sorted(messages: string): string[] {
  return messages.split(', ').sort();
}

/** One line per message: date, time, seconds, R or S, Call-ID, CSeq, start line. */
function crossed(log: string): Crossed {
  const messages = new Crossed();
  for (const line of log.trim().split('\n')) {
    const [, , , which, , cseq = '', startLine = ''] = line.split('\t');
    messages.note(which === 'S' ? 'sent' : 'received', startLine, cseq.replace('CSeq:', '').trim());
  }
  return messages;
}

function freePort(protocol: Protocol): Promise<number> {
  return protocol === 'udp' ? freeUdpPort() : freeTcpPort();
}
