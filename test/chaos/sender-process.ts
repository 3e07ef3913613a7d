// The process that send() starts: takes one order, carries it out, tells the result.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AnswerLedger } from './answer-ledger.js';
import { HostileDatagrams, seeded } from './hostile-datagrams.js';
import type { SendOrder, SendResult } from './sender.js';

const tickMs = 5;
/** How long answers are waited for after the last datagram. */
const listenMs = 1_000;

async function carryOut({ host, to, count, perSecond, samples, hostile }: SendOrder): Promise<SendResult> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  let sentBytes = 0;
  let answers = 0;
  let answeredBytes = 0;
  const ledger = new AnswerLedger();
  socket.on('message', (answer) => {
    answers += 1;
    answeredBytes += answer.length;
    ledger.heard(answer);
  });
  // What the kernel would not take is no fault of those who are tested.
  socket.on('error', () => undefined);
  const bent = hostile && new HostileDatagrams(samples, hostile.callIds, seeded(hostile.seed));
  const plain = samples.map((text) => Buffer.from(text, 'latin1'));
  const begun = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - begun) / 1_000) * perSecond));
    for (; sent < due; sent += 1) {
      const datagram = bent?.next() ?? plain[sent % plain.length];
      if (datagram === undefined) continue;
      ledger.sent(datagram);
      socket.send(datagram, to.port, to.host);
      sentBytes += datagram.length;
    }
    await delay(tickMs);
  }
  const tookMs = performance.now() - begun;
  await delay(listenMs);
  socket.close();
  const { unknown, findings } = ledger;
  return { sent: count, sentBytes, tookMs, answers, answeredBytes, unknown, findings: [...findings] };
}

process.once('message', (order: SendOrder) => {
  carryOut(order).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
