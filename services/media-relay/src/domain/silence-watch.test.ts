import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { audioSdp } from '../testing/audio-sdp.js';
import { FakeEngine } from '../testing/fake-engine.js';
import { soon } from '../testing/soon.js';
import { Relay, type SilentSession } from './relay.js';
import { SilenceWatch } from './silence-watch.js';

const log = { info: () => undefined, warn: () => undefined };

test('a silent session is told once for each time-out that passes, and lives on', async (t) => {
  const engine = new FakeEngine();
  const relay = new Relay({ engine, maxSessions: 10, log });
  relay.setEngineProblem(undefined);
  await relay.openSession('one', 'customer', audioSdp, soon());
  const told: SilentSession[] = [];
  relay.onSilent((silent) => told.push(silent));
  const watch = new SilenceWatch({ engine, relay, timeoutMs: 40, log });
  watch.start();
  t.after(() => watch.stop());
  const looks = () => engine.commands.filter((command) => command.startsWith('silentSeconds')).length;
  await eventually(() => looks() > 3, 'it was looked at');
  assert.deepEqual(told, []);
  engine.silence = 1;
  await eventually(() => told.length === 1, 'it was told');
  const before = looks();
  await eventually(() => looks() > before + 3, 'it was looked at again');
  assert.deepEqual(told, [{ session: 'one', seconds: 1 }]);
  engine.silence = 2;
  await eventually(() => told.length === 2, 'it was told again');
  assert.equal(relay.sessionCount, 1);
});
