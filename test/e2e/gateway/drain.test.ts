// A gateway that is told to stop while clients are still sent to it, as in a rolling update: a real process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceProcess } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { Dialer } from './dialer.js';
import { GatewayStage } from './gateway-stage.js';

const drainSeconds = 8;

test('after SIGTERM it is not ready at once, serves as ever until its drain is over, sends all away, and ends with 0', async (t) => {
  const set = await GatewayStage.start(t, { drainSeconds });
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

  const token = await set.token();
  const dialer = await Dialer.open(http, token);
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
  const stream = await fetch(`${http}/dialer/v1/events`, { headers, signal: AbortSignal.timeout(60_000) });
  const streamed = stream.text();

  const toldAt = performance.now();
  service.kill('SIGTERM');
  await eventually(async () => (await status(`${management}/readyz`)) === 503, 'it is not ready');
  assert.equal(await status(`${http}/api/v1/openapi.json`), 200);
  const late = await Dialer.open(http, token);
  assert.equal(late.frames[0]?.type, 'authenticated', 'who comes during the drain is let in');
  const call = await set.stage.inbound();
  await eventually(() => dialer.events.length === 1 && late.events.length === 1, 'both hear of the call');
  assert.ok(performance.now() - toldAt < drainSeconds * 1_000, 'during the drain');
  assert.deepEqual([dialer.closed, late.closed], [undefined, undefined]);

  assert.equal(await service.exited, 'exit code 0');
  assert.ok(performance.now() - toldAt >= drainSeconds * 1_000);
  await eventually(() => dialer.closed !== undefined && late.closed !== undefined, 'the dialers are sent away');
  assert.deepEqual([dialer.closed?.code, late.closed?.code], [1001, 1001]);
  assert.match(await streamed, /event: WIDGET_CALL_STARTED/, 'the stream was ended, not cut');
  await call.customer.hangUp();
});
