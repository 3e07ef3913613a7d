// One minor version of difference between services that run beside each other: nothing of it is noticed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { openBus } from '../e2e/nats-stage.js';
import { mixedDeployment } from './mixed-deployment.js';

test('signalling with a relay of the last release, and a gateway with signalling of it: calls are recorded, seen and steered', async (t) => {
  const mixed = await mixedDeployment(t);
  if (!mixed) return;
  const { stage, asked, api, inbound } = mixed;
  const { recorder } = stage.laboratory;
  const call = await inbound();
  const voices = () => recorder.sessions[0]?.streams.map(({ statistics }) => statistics.received) ?? [];
  await eventually(() => voices().length === 2 && voices().every((count) => count > 50), 'both voices are recorded');

  const { calls, silent } = await api('calls');
  assert.deepEqual([calls.length, silent ?? []], [1, []]);
  const [{ callId }] = calls;
  assert.equal((await api(`calls/${callId}`)).callId, callId);
  assert.equal((await api(`calls/${callId}/recording/pause`, true)).recordings[0].phase, 'paused');
  assert.equal((await api(`calls/${callId}/recording/resume`, true)).recordings[0].phase, 'active');
  // A method that the last release did not have: the rest of the answer is there.
  await api('recorders');

  await stage.talk(call, 50);
  await api(`calls/${callId}/end`, true);
  await Promise.all([call.customer.ended, call.seller.ended]);
  await eventually(() => recorder.active === 0, 'the recording has ended');
  const [session] = recorder.sessions;
  assert.deepEqual(session?.findings, []);
  for (const { statistics } of session?.streams ?? [])
    assert.deepEqual([statistics.authFailures, statistics.inClear], [0, 0]);
  // Release 0.1 counts nothing of what is copied: of a short call nothing confirms the recording, and nothing speaks against it.
  const { records } = await api('records');
  assert.match(records[0]?.verdict, /^(complete|unconfirmed)$/);
  for (const method of [
    'OpenSession',
    'AnswerSession',
    'StartFork',
    'AnswerFork',
    'PauseFork',
    'ResumeFork',
    'CloseSession',
    'Watch',
  ])
    assert.ok(asked.media.has(method), `${method} went through the last release`);
  for (const method of ['ListCalls', 'GetCall', 'PauseRecording', 'EndCall'])
    assert.ok(asked.calls.has(method), method);
});

test('leases of the last release, and of a next one with more in them, are read by today’s services', async (t) => {
  const mixed = await mixedDeployment(t);
  if (!mixed) return;
  const { stage, addresses, api, inbound } = mixed;
  const bus = openBus(t, [stage.laboratory.nats.url]);
  const leases = (await bus.whenConnected(AbortSignal.timeout(20_000))).bucket('leases');
  // As release 0.1 wrote them.
  const load = { capacity: 10_000, draining: false };
  const relay = { address: addresses.relay, region: 'local', sessions: 0, ...load };
  const signalling = { address: '127.0.0.1:5060', grpc: addresses.calls, calls: 0, ...load };
  const written: Readonly<Record<string, object>> = {
    'relay.last': relay,
    'relay.next': { ...relay, weather: { degrees: 3 }, forecast: 'rain' },
    'signalling.last': signalling,
    'signalling.next': { ...signalling, since: new Date().toISOString(), forecast: ['rain'] },
  };
  const write = async () => {
    for (const [key, value] of Object.entries(written)) await leases.put(key, JSON.stringify(value));
  };
  await write();
  const writing = setInterval(() => void write().catch(() => undefined), 1_000);
  t.after(() => clearInterval(writing));
  const ids = async (path: string, list: string, key: string): Promise<string> =>
    (await api(path))[list]
      .map((one: Record<string, string>) => one[key])
      .sort()
      .join();
  await eventually(async () => (await ids('relays', 'relays', 'relay')) === 'last,next,r1', 'all relays are seen');
  await eventually(
    async () => (await ids('calls', 'instances', 'instance')) === 'last,next,s1',
    'all signalling is seen',
  );
  // The emptiest are chosen, which are these two.
  const call = await inbound();
  await eventually(() => stage.laboratory.recorder.active === 1, 'the call is recorded');
  await call.customer.hangUp();
});
