// Three faults of recordings, planted into a whole laboratory: told while the calls live, and in the records and the report after them.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { type Behaviour, type LiveSession, rejectWith } from '@sidestream/simulators';
import { recordOf, runOn } from './records.js';
import { Stage } from './stage.js';

const timeoutMs = 30_000;

/** One command of the ng protocol. */
async function tellEngine(hostPort: string, command: Readonly<Record<string, string>>): Promise<void> {
  const [host, port] = hostPort.split(':');
  const socket = createSocket('udp4');
  const string = (text: string) => `${Buffer.byteLength(text)}:${text}`;
  const dictionary = Object.entries(command).map(([key, value]) => string(key) + string(value));
  try {
    socket.send(`1 d${dictionary.join('')}e`, Number(port), host);
    const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
    assert.match(String(answer), /6:result2:ok/);
  } finally {
    socket.close();
  }
}

test('three faults are told: refused by all, media that goes nowhere, lost in mid-call with no other', async (t) => {
  let refuses = true;
  let ng = '';
  let live: LiveSession | undefined;
  const refusal = rejectWith(503);
  const behaviour: Behaviour = {
    beforeAnswer: async (invite) => (refuses ? refusal.beforeAnswer?.(invite) : undefined),
    answered: (session) => {
      live = session;
    },
  };
  const stage = await Stage.start(t, {
    recorder: { behaviour },
    configure: (config) => {
      ng = config.mediaRelay.rtpengine.ng;
    },
  });
  if (!stage) return;
  const { laboratory } = stage;

  const refused = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingDelayed').length === 1, 'nobody has taken it');
  const missing = (count: number, reason: string) =>
    eventually(
      () =>
        laboratory.bodies('recordingMissing').length === count &&
        laboratory.bodies('recordingMissing').at(-1)?.reason === reason,
      `${reason} is told`,
      60_000,
    );
  await missing(1, 'recorder-refused');
  const [live1] = JSON.parse(await runOn(stage, 'calls', 'list', '--json')).calls;
  const told = laboratory.bodies('recordingMissing')[0];
  assert.deepEqual(live1.missing, { reason: 'recorder-refused', since: told?.since?.toISOString() });
  assert.match(await runOn(stage, 'calls', 'list'), /missing: recorder-refused/);
  assert.match(await runOn(stage, 'calls', 'show', live1.callId), /^ {2}missing {4}recorder-refused, since 2/m);
  await refused.customer.hangUp();
  await stage.nothingIsLeft();
  const first = await recordOf(stage);
  assert.equal(first.record.verdict, 'VERDICT_MISSING');

  refuses = false;
  const lost = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started', 60_000);
  await stage.talk(lost, 50);
  refuses = true;
  await live?.bye();
  await missing(2, 'recorder-hangup');
  await lost.customer.hangUp();
  await stage.nothingIsLeft();
  const second = await recordOf(stage, 1);
  assert.equal(second.record.verdict, 'VERDICT_PARTIAL');
  assert.equal(second.record.recordings[0].gaps[0].reason, 'recorder-hangup');

  refuses = false;
  const nowhere = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 2, 'the recorder has taken it', 60_000);
  const { callId, recordingId } = laboratory.bodies('recordingStarted')[1] ?? {};
  // Behind the relay's back the engine feeds the fork no more.
  await tellEngine(ng, {
    command: 'unsubscribe',
    'call-id': `sidestream/r1/${callId}`,
    'to-tag': `fork/${recordingId}.0`,
  });
  // The only recorder is asked again, and takes it again.
  await eventually(() => laboratory.bodies('recordingRecovered').length === 1, 'it was given up', 60_000);
  await missing(3, 'media-stalled');
  await eventually(() => laboratory.bodies('recordingFound').length === 1, 'media is seen to leave again', 60_000);
  assert.equal(JSON.parse(await runOn(stage, 'calls', 'list', '--json')).calls[0].missing, undefined);
  for (const { body, time } of laboratory.events)
    if (body?.$case === 'recordingMissing') {
      const afterMs = Number(time) - Number(body.value.since);
      t.diagnostic(`${body.value.reason}: told ${afterMs} ms after it was missing`);
      assert.ok(afterMs < 10_000, `${body.value.reason} was told ${afterMs} ms late`);
    }
  await nowhere.customer.hangUp();
  await stage.nothingIsLeft();
  const third = await recordOf(stage, 2);
  assert.equal(third.record.verdict, 'VERDICT_PARTIAL');
  assert.match(third.record.recordings[0].attempts[0].failure.detail, /media does not leave/);

  const report = JSON.parse(await runOn(stage, 'calls', 'report', '--json'));
  const [figures] = report.tenants;
  assert.deepEqual(
    [figures.tenant, figures.expected, figures.started, figures.missing, figures.partial],
    ['contoso', 3, 2, 1, 2],
  );
  const whys: readonly string[] = figures.faults.map(({ why }: { why: string }) => why);
  assert.match(whys[0] ?? '', /not recorded, although it should have been: .*503/);
  assert.match(whys[1] ?? '', /s are missing; it ended by recorder-hangup/);
  assert.match(whys[2] ?? '', /s are missing/);
});
