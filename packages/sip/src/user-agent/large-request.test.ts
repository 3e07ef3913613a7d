// RFC 3261 §18.1.1 over real sockets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Transports } from '../transport/transports.js';
import { UserAgent } from './user-agent.js';

/** Sends an OPTIONS of about that many bytes to a user agent that listens on UDP, and on TCP on the same port if wanted. */
async function protocolOf(bytes: number, onTcp: boolean): Promise<string> {
  const [near, far] = [new Transports(), new Transports()];
  const caller = new UserAgent({ transports: near });
  const callee = new UserAgent({ transports: far });
  try {
    await near.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
    const at = await far.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
    if (onTcp) await far.listen({ protocol: 'tcp', ...at });
    callee.on('request', (request) => void request.respond(200, { reason: request.flow.protocol }));
    const body = 'x'.repeat(bytes);
    const target = { protocol: 'udp', ...at } as const;
    const o = { method: 'OPTIONS', uri: 'sip:b@127.0.0.1', from: '<sip:a@127.0.0.1>', timeoutMs: 5000 };
    return (await caller.request({ ...o, target, body, contentType: 'text/plain' })).reason;
  } finally {
    await Promise.all([caller.close(), callee.close()]);
    await Promise.all([near.close(), far.close()]);
  }
}

test('RFC 3261 §18.1.1: above 1300 bytes a request goes over TCP, below over UDP', async () => {
  assert.equal(await protocolOf(600, true), 'udp');
  assert.equal(await protocolOf(1300, true), 'tcp');
});

test('RFC 3261 §18.1.1: where nobody listens on TCP a large request goes over UDP all the same', async () => {
  assert.equal(await protocolOf(1300, false), 'udp');
});
