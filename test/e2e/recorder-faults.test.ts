// The recorder is wrong, silent or somebody else: the call goes on, nothing leaves in clear, the reason is known.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { answerInPlainRtp, answerWithoutCrypto, type Behaviour, rejectWith, staySilent } from '@sidestream/simulators';
import { Stage, type StageOptions } from './stage.js';

/** One call beside a faulty recorder; returns the stage after the call, with what is common to all faults asserted. */
async function callBeside(t: TestContext, options: StageOptions): Promise<Stage | undefined> {
  const stage = await Stage.start(t, options);
  if (!stage) return undefined;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingFailed').length === 1, 'the recording has failed', 15_000);
  await stage.talk(call, 50);
  assert.equal(call.customer.statistics.lost, 0);
  assert.equal(call.seller.statistics.lost, 0);
  assert.equal(laboratory.bodies('recordingStarted').length, 0);
  await call.seller.hangUp();
  await call.customer.ended;
  await eventually(() => laboratory.bodies('callEnded').length === 1, 'the call has ended');
  assert.equal(laboratory.bodies('callEnded')[0]?.termination?.reason, 'hangup');
  await stage.nothingIsLeft();
  return stage;
}

describe('the call goes on and the recording ends with its reason when the recorder', () => {
  const unusable: [string, Behaviour][] = [
    ['answers in RTP/AVP', answerInPlainRtp()],
    ['answers without a=crypto', answerWithoutCrypto()],
  ];
  for (const [what, behaviour] of unusable) {
    test(`${what}: refused, and not one packet leaves`, async (t) => {
      const stage = await callBeside(t, { recorder: { behaviour } });
      if (!stage) return;
      const [failed] = stage.laboratory.bodies('recordingFailed');
      assert.equal(failed?.termination?.reason, 'recorder-answer-unusable');
      const sessions = stage.laboratory.recorder.sessions;
      assert.ok(sessions.length > 0);
      for (const stream of sessions.flatMap((session) => session.streams)) assert.equal(stream.statistics.datagrams, 0);
    });
  }

  test('refuses with 503', async (t) => {
    const stage = await callBeside(t, { recorder: { behaviour: rejectWith(503) } });
    if (!stage) return;
    const [failed] = stage.laboratory.bodies('recordingFailed');
    assert.equal(failed?.termination?.reason, 'recorder-refused');
    assert.match(failed?.termination?.detail ?? '', /503/);
  });

  test('stays silent: given up within its own short time-out', async (t) => {
    const stage = await callBeside(t, { recorder: { behaviour: staySilent() } });
    if (!stage) return;
    assert.equal(stage.laboratory.bodies('recordingFailed')[0]?.termination?.reason, 'recorder-unreachable');
  });

  test('does not listen', async (t) => {
    const stage = await callBeside(t, { recorder: false });
    if (!stage) return;
    assert.equal(stage.laboratory.bodies('recordingFailed')[0]?.termination?.reason, 'recorder-unreachable');
  });

  test('has a certificate for another name', async (t) => {
    const stage = await callBeside(t, { recorderNames: ['somebody.example'] });
    if (!stage) return;
    const [failed] = stage.laboratory.bodies('recordingFailed');
    assert.equal(failed?.termination?.reason, 'recorder-unreachable');
    assert.match(failed?.termination?.detail ?? '', /certificate/i);
    assert.equal(stage.laboratory.recorder.sessions.length, 0);
  });

  test('has a certificate of another authority', async (t) => {
    const folder = await CredentialFolder.create();
    t.after(() => folder.remove());
    const other = await createAuthority('Somebody else');
    const credential = await other.issue({ commonName: 'recorder', dnsNames: ['localhost'] });
    const files = await folder.write(credential, 'recorder');
    const stage = await callBeside(t, { recorder: { tls: files } });
    if (!stage) return;
    const [failed] = stage.laboratory.bodies('recordingFailed');
    assert.equal(failed?.termination?.reason, 'recorder-unreachable');
    assert.match(failed?.termination?.detail ?? '', /certificate|issuer/i);
    assert.equal(stage.laboratory.recorder.sessions.length, 0);
  });
});
