// Limits and destinations of trunks as their peers see them on the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { type SipMessage, SipResponse } from '@sidestream/sip';
import { Stage } from './stage.js';

test('a trunk that is full: 503 with Retry-After and a reason; a denied number: 403; a call that lasts too long: BYE with a reason', async (t) => {
  const heard: SipMessage[] = [];
  const stage = await Stage.start(t, {
    customer: { onMessage: ({ direction, message }) => void (direction === 'received' && heard.push(message)) },
    configure: ({ trunks }) => {
      Object.assign(trunks['carrier'] ?? {}, {
        limits: { calls: 1, maxDuration: '2s' },
        destinations: { allow: ['+4930'], deny: ['+4930900'] },
      });
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const refusal = async (number: string): Promise<SipResponse> => {
    const call = await stage.customer.call(stage.uri(number));
    await call.ended;
    const last = heard.findLast((message) => message instanceof SipResponse && message.callId === call.id);
    assert.ok(last instanceof SipResponse);
    return last;
  };
  const denied = await refusal('+4930900123');
  assert.equal(denied.status, 403);
  assert.match(
    denied.headers.get('Warning') ?? '',
    /trunk carrier: numbers that begin with \+4930900 may not be called/,
  );

  const call = await stage.inbound();
  const full = await refusal(listedSeller.number);
  assert.equal(full.status, 503);
  assert.match(full.headers.get('Warning') ?? '', /trunk carrier: 1 calls are up/);
  const seconds = Number(full.headers.get('Retry-After'));
  assert.ok(seconds >= 5 && seconds <= 10, `${seconds} s`);
  const calls = () => laboratory.metric('signalling', 'sidestream_trunk_calls', 'trunk="carrier"');
  assert.equal(await calls(), 1);

  // Whoever calls for help is put through all the same.
  const help = await stage.customer.call(stage.uri('112'));
  await help.answered;
  assert.equal(await calls(), 2);

  await Promise.all([call.customer.ended, call.seller.ended]);
  const bye = heard.find((message) => message.kind === 'request' && message.method === 'BYE');
  assert.match(bye?.headers.get('Reason') ?? '', /^SIP;cause=480;text="a call on this trunk may last 2 s"$/);
  assert.equal(bye?.callId, call.customer.id);
  assert.equal(help.over, false);
  await help.hangUp();
  await stage.nothingIsLeft();
  await eventually(() => laboratory.bodies('callEnded').length === 2, 'both calls have ended');
  const reasons = laboratory.bodies('callEnded').map(({ termination }) => termination?.reason);
  assert.deepEqual(reasons.sort(), ['hangup', 'max-duration']);
  for (const reason of ['trunk-full', 'destination'])
    assert.equal(await laboratory.metric('signalling', 'sidestream_calls_refused_total', `reason="${reason}"`), 1);
  await eventually(async () => (await calls()) === 0, 'the trunk has its places back');
});
