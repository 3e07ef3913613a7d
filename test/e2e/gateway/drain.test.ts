// A gateway that is told to stop while clients are still sent to it, as in a rolling update: a real process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceProcess } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { GatewayStage } from './gateway-stage.js';

test('after SIGTERM it is not ready at once, answers until its drain is over, and ends with 0', async (t) => {
  const set = await GatewayStage.start(t, { drainSeconds: 3 });
  if (!set) return;
  const service = new ServiceProcess({
    name: 'gateway',
    environment: { SIDESTREAM_CONFIG: set.stage.laboratory.configFile, SIDESTREAM_INSTANCE: 'g2' },
    onLog: () => undefined,
  });
  t.after(() => service.stop(20_000));
  const { http = '', management = '' } = (await service.ready(30_000)).addresses;
  const status = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(5_000) })).status;
  assert.equal(await status(`${management}/readyz`), 200);

  const toldAt = performance.now();
  service.kill('SIGTERM');
  await eventually(async () => (await status(`${management}/readyz`)) === 503, 'it is not ready');
  assert.equal(await status(`${http}/api/v1/openapi.json`), 200);
  assert.equal(await service.exited, 'exit code 0');
  assert.ok(performance.now() - toldAt >= 3_000);
});
