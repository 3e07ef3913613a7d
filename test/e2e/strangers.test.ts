// Who is no configured peer gets not a byte; what is no SIP message gets 400 or nothing, and harms nobody.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { customerHost } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { Stage } from './stage.js';

const strangerHost = '127.0.0.9';

function options(host: string, port: number, extra = ''): string {
  return [
    `OPTIONS sip:${host} SIP/2.0`,
    `Via: SIP/2.0/UDP ${host}:${port};branch=z9hG4bK${port}${extra.length};rport`,
    'Max-Forwards: 70',
    `From: <sip:a@${host}>;tag=1`,
    `To: <sip:b@${host}>`,
    `Call-ID: ${port}-${extra.length}@${host}`,
    `CSeq: 1 OPTIONS${extra}`,
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
}

/** Sends datagrams from `host` and collects what comes back within `waitMs`. */
async function overUdp(
  host: string,
  to: { host: string; port: number },
  texts: string[],
  waitMs: number,
): Promise<string[]> {
  const socket = createSocket('udp4');
  const answers: string[] = [];
  socket.on('message', (bytes) => answers.push(bytes.toString('latin1')));
  socket.bind(0, host);
  await once(socket, 'listening');
  for (const text of texts) socket.send(text, to.port, to.host);
  const deadline = Date.now() + waitMs;
  while (answers.length < texts.length && Date.now() < deadline) await wait(20);
  socket.close();
  return answers;
}

test('strangers are dropped without a byte of answer and counted; peers with broken messages get 400; calls work on', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const { laboratory } = stage;
  const [host = '', port = ''] = laboratory.sipAddress('udp').split(':');
  const udp = { host, port: Number(port) };
  const tcp = Number(laboratory.sipAddress('tcp').split(':')[1]);

  await t.test('a stranger over UDP', async () => {
    assert.deepEqual(await overUdp(strangerHost, udp, [options(strangerHost, 5060)], 700), []);
  });

  await t.test('a stranger over TCP', async () => {
    const socket = connect({ host, port: tcp, localAddress: strangerHost });
    const got: Buffer[] = [];
    socket.on('data', (bytes) => got.push(bytes));
    socket.on('error', () => undefined);
    socket.on('connect', () => socket.write(options(strangerHost, 5060)));
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    await eventually(() => closed, 'the connection is closed', 5_000);
    assert.equal(got.length, 0);
  });

  await t.test('both were counted', async () => {
    await eventually(
      async () => (await laboratory.metric('sip-edge', 'sidestream_edge_refused_total')) >= 2,
      'the metric counts them',
    );
  });

  await t.test('a peer gets 200 to OPTIONS', async () => {
    const answers = await overUdp(customerHost, udp, [options(customerHost, 5061)], 3_000);
    assert.match(answers[0] ?? '', /^SIP\/2\.0 200 /);
  });

  await t.test("a peer's malformed request gets 400, garbage nothing, and both are counted", async () => {
    const broken = options(customerHost, 5062).replace('CSeq: 1 OPTIONS', 'CSeq: one OPTIONS');
    const mismatch = options(customerHost, 5063).replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE');
    const garbage = 'INVITE me to your party\r\n\r\n';
    const answers = await overUdp(customerHost, udp, [broken, mismatch, garbage, '\0\u0001\u0002'.repeat(50)], 1_500);
    assert.ok(answers.length <= 2);
    for (const answer of answers) assert.match(answer, /^SIP\/2\.0 400 /);
    assert.ok((await laboratory.metric('sip-edge', 'sidestream_edge_malformed_total')) >= 3);
  });

  await t.test('calls still work', async () => {
    const call = await stage.inbound();
    await stage.talk(call, 25);
    await call.customer.hangUp();
    await call.seller.ended;
    await stage.nothingIsLeft();
  });
});
