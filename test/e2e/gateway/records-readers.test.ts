// Several who read the records of calls at once, in a real gateway: one who asks for much is bounded, and holds up nobody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { CallRecord } from '@sidestream/proto/records/v1';
import { recordSubject } from '@sidestream/service';
import { openBus } from '../nats-stage.js';
import { GatewayStage } from './gateway-stage.js';

test('a user who reads more than their share is told to wait, while another one is served', async (t) => {
  const set = await GatewayStage.start(t, { limits: { requestsPerSecond: 1_000 } });
  if (!set) return;
  const bus = openBus(t, [set.stage.laboratory.nats.url]);
  const session = await bus.whenConnected(AbortSignal.timeout(20_000));
  await session.prepareRecords({ maxAgeMs: 3_600_000, maxBytes: 10_000_000 });
  const { jetstream } = session;
  const records = Array.from({ length: 2_000 }, (_, index) =>
    CallRecord.fromPartial({ version: 1, callId: `c${index}`, tenant: 'contoso', endedAt: new Date() }),
  );
  for (let at = 0; at < records.length; at += 100)
    await Promise.all(
      records
        .slice(at, at + 100)
        .map((one) => jetstream.publish(recordSubject(one.tenant, one.callId), CallRecord.encode(one).finish())),
    );
  const [olga, otto] = [await set.operator(), await set.token({ oid: 'otto', roles: ['Sidestream.Operator'] })];
  const read = (token: string) => set.api(token, '/api/v1/records?limit=500');
  await eventually(async () => (await read(otto)).status === 200, 'records are there');

  const greedy = Array.from({ length: 40 }, () => read(olga));
  const modest = await read(otto);
  assert.equal(modest.status, 200);
  assert.equal(modest.json.records.length, 500);
  const answers = await Promise.all(greedy);
  const denied = answers.filter(({ status }) => status === 429);
  assert.ok(denied.length > 0 && denied.length < 40, `${denied.length} of 40 are denied`);
  assert.ok(answers.every(({ status }) => status === 200 || status === 429));
  for (const { json, headers } of denied)
    assert.deepEqual([json.code, headers.get('retry-after')], ['too-many-reads', '1']);
  assert.equal((await read(olga)).status, 200, 'afterwards there is room again');
});
