// A tenant whose recorder is a plain one: `recording.profile: rfc7866`, from the configuration to what the recorder finds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { rfc7866 } from '@sidestream/siprec';
import { Stage } from './stage.js';

test('profile rfc7866: a recording over sips:, with labels 1 and 2, without an account and without a finding', async (t) => {
  const stage = await Stage.start(t, {
    recorder: { profile: rfc7866 },
    configure: (config) => {
      const { contoso } = config.tenants;
      assert.ok(contoso);
      contoso.recording.profile = 'rfc7866';
      delete contoso.accountId;
      const [recorder] = config.regions['local']?.recorders ?? [];
      assert.ok(typeof recorder === 'string');
      contoso.recorders = [recorder.replace(/^sip:(.*);transport=tls$/, 'sips:$1')];
    },
  });
  if (!stage) return;
  const call = await stage.inbound();
  await stage.talk(call, 50);
  const updates = () => stage.laboratory.recorder.sessions[0]?.metadata.length ?? 0;
  await call.customer.hold();
  await eventually(() => updates() === 2, 'the recorder hears of the hold');
  await call.customer.resume();
  await eventually(() => updates() === 3, 'and of its end');
  const [session] = stage.laboratory.recorder.sessions;
  assert.ok(session);
  await call.seller.hangUp();
  await call.customer.ended;
  assert.equal(await session.ended, 'client');
  assert.deepEqual(session.findings, []);
  assert.deepEqual(
    session.streams.map(({ label, statistics }) => [label, statistics.lost, statistics.authFailures]),
    [
      ['1', 0, 0],
      ['2', 0, 0],
    ],
  );
  assert.deepEqual(
    session.metadata.map(({ method, document }) => [
      method,
      document?.datamode,
      document?.streams.map(({ label }) => label),
    ]),
    [
      ['INVITE', 'complete', ['1', '2']],
      ['re-INVITE', 'partial', []],
      ['re-INVITE', 'partial', []],
      ['BYE', 'partial', []],
    ],
  );
  await eventually(() => stage.laboratory.recorder.active === 0, 'the recorder is idle');
  await stage.nothingIsLeft();
});
