// What RFC 4475 says of its messages on a stream, over a real TCP connection.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Transports, type TransportsOptions } from '../transport/transports.js';
import { UserAgent } from '../user-agent/user-agent.js';
import { tortureBytes } from './torture-message.js';

/** Sends bytes over TCP to a user agent: what it answers until it closes the connection, and why it closed it. */
async function send(bytes: Buffer, options: TransportsOptions = {}): Promise<{ answer: string; code: unknown }> {
  const transports = new Transports(options);
  const agent = new UserAgent({ transports });
  try {
    const at = await transports.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0 });
    const closed = once(transports, 'closed');
    const socket = connect(at.port, at.host);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.write(bytes);
    await once(socket, 'close');
    return { answer: String(Buffer.concat(received)), code: (await closed)[1]?.code };
  } finally {
    await agent.close();
    await transports.close();
  }
}

test('RFC 4475 §3.1.2.2 clerr: on a stream the rest of the body is awaited, for a reasonable time', async () => {
  const { answer, code } = await send(tortureBytes('clerr'), { messageTimeoutMs: 30 });
  assert.deepEqual([answer, code], ['', 'timed-out']);
});

for (const { clause, name, what } of [
  { clause: '3.1.2.3', name: 'ncl', what: 'a negative Content-Length' },
  { clause: '3.3.9', name: 'mcl01', what: 'several Content-Length values' },
]) {
  test(`RFC 4475 §${clause} ${name}: ${what} on a stream is answered 400 and the connection is closed`, async () => {
    const { answer, code } = await send(tortureBytes(name));
    assert.match(answer, /^SIP\/2\.0 400 /);
    assert.equal(answer.split('SIP/2.0 400 ').length, 2);
    assert.equal(code, 'malformed');
  });
}

test('RFC 4475 §3.1.1.8 dblreq: on a stream what follows the body is the next message', async () => {
  // The INVITE lacks the Contact of RFC 3261 §8.1.1.8, and its body is longer than it says, which ends the stream.
  const { answer, code } = await send(tortureBytes('dblreq'));
  assert.equal(code, 'malformed');
  assert.deepEqual(answer.match(/^(?:SIP\/2\.0 \d+|CSeq: .*)/gm), [
    'SIP/2.0 405',
    'CSeq: 8 REGISTER',
    'SIP/2.0 100',
    'CSeq: 8 INVITE',
    'SIP/2.0 400',
    'CSeq: 8 INVITE',
  ]);
});
