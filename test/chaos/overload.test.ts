// A signalling process that gets too little of the machine: new calls are turned away at once, those that are up notice nothing.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { customerHost, listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { type SipMessage, SipResponse } from '@sidestream/sip';
import { Stage } from '../e2e/stage.js';
import { lossesOf, RecordedCall } from './recorded-call.js';

const slice = { stoppedMs: 120, runningMs: 4 };

/** Lets a process run for a few milliseconds at a time, until the signal aborts; then it runs on. */
async function starve(pid: number, signal: AbortSignal): Promise<void> {
  try {
    while (!signal.aborted) {
      process.kill(pid, 'SIGSTOP');
      await delay(slice.stoppedMs);
      process.kill(pid, 'SIGCONT');
      await delay(slice.runningMs);
    }
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** The status that an OPTIONS of the customer's host hears. */
async function asked(to: string): Promise<number> {
  const [host = '', port = ''] = to.split(':');
  const socket = createSocket('udp4').bind(0, customerHost);
  await once(socket, 'listening');
  const own = `${customerHost}:${socket.address().port}`;
  const lines = [
    `OPTIONS sip:${to} SIP/2.0`,
    `Via: SIP/2.0/UDP ${own};branch=z9hG4bKasked;rport`,
    `From: <sip:a@${own}>;tag=1`,
    `To: <sip:${to}>`,
    `Call-ID: asked@${own}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ];
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(10_000) });
  socket.send(lines.join('\r\n'), Number(port), host);
  const [answer] = await answered;
  socket.close();
  return Number(String(answer).split(' ')[1]);
}

test('overloaded: 503 with Retry-After to calls and OPTIONS, calls for help pass, live calls lose nothing, and it passes', async (t) => {
  const heard: SipMessage[] = [];
  const stage = await Stage.start(t, {
    customer: { onMessage: ({ direction, message }) => void (direction === 'received' && heard.push(message)) },
    configure: ({ signalling }) => {
      signalling.maxLagMs = 50;
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const pid = laboratory.deployment.services.get('signalling')?.pid;
  assert.ok(pid !== undefined);
  const overloaded = () => laboratory.metric('signalling', 'sidestream_overloaded');
  // With so low a border the start itself may count as overload where the machine is busy.
  await eventually(async () => (await overloaded()) === 0, 'it is calm', 15_000);
  const calls = await RecordedCall.placeMany(stage, 1);

  const from = Date.now();
  const enough = new AbortController();
  t.after(() => enough.abort());
  const starving = starve(pid, enough.signal);
  await eventually(async () => (await overloaded()) === 1, 'it notices', 30_000);
  const refused = await stage.customer.call(stage.uri(listedSeller.number));
  await refused.ended;
  const last = heard.findLast((message) => message instanceof SipResponse && message.callId === refused.id);
  assert.ok(last instanceof SipResponse);
  assert.equal(last.status, 503);
  assert.match(last.headers.get('Warning') ?? '', /the event loop lags \d+ ms/);
  assert.match(last.headers.get('Retry-After') ?? '', /^([5-9]|10)$/);
  assert.equal(await asked(laboratory.sipAddress('udp')), 503);
  const help = await stage.customer.call(stage.uri('112'), { answerTimeoutMs: 20_000 });
  await help.answered;
  enough.abort();
  await starving;
  const period = { from, until: Date.now() };

  await eventually(async () => (await overloaded()) === 0, 'it recovers', 15_000);
  assert.equal(await asked(laboratory.sipAddress('udp')), 200);
  const again = await stage.inbound();
  await stage.talk(again, 25);
  const { sent, ...lost } = lossesOf(calls, period);
  assert.ok(sent > 50);
  assert.deepEqual(lost, { atParties: 0, atRecorder: 0 });
  await Promise.all([...calls.map(({ call }) => call.customer), help, again.customer].map((one) => one.hangUp()));
  await stage.nothingIsLeft();
  assert.equal(await laboratory.metric('signalling', 'sidestream_calls_refused_total', 'reason="overloaded"'), 1);
});
