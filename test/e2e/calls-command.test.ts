// `sidestream calls` and `sidestream drain`, as operators run them, on a whole laboratory with a call that is recorded.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import type { TracedMessage } from '@sidestream/simulators';
import { runCli, spawnCli } from './run-cli.js';
import { startSecond } from './second-signalling.js';
import { customerNumber, Stage } from './stage.js';

const timeoutMs = 30_000;

/** Runs a command on the stage's deployment. */
function run(stage: Stage, ...args: string[]) {
  return runCli([...args, '--config', stage.laboratory.configFile], { timeoutMs });
}

async function json(stage: Stage, ...args: string[]) {
  const { code, stdout, stderr } = await run(stage, ...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** A stage with an answered call that is recorded, and its id. */
async function recordedCall(t: TestContext, onMessage: (traced: TracedMessage) => void = () => {}) {
  const stage = await Stage.start(t, { customer: { onMessage }, seller: { onMessage } });
  if (!stage) return undefined;
  const call = await stage.inbound();
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  const id = stage.laboratory.bodies('callStarted')[0]?.callId ?? '';
  return { stage, call, id };
}

test('list and show tell the live recorded call; end ends it on both sides with its reason', async (t) => {
  const byes: (string | undefined)[] = [];
  const set = await recordedCall(t, ({ direction, message }) => {
    if (direction === 'received' && message.kind === 'request' && message.method === 'BYE')
      byes.push(message.headers.get('Reason'));
  });
  if (!set) return;
  const { stage, call, id } = set;

  const listed = await json(stage, 'calls', 'list');
  assert.deepEqual(listed.instances, [{ instance: 's1', draining: false, calls: 1 }]);
  const [shown] = listed.calls;
  assert.equal(shown.callId, id);
  assert.deepEqual([shown.phase, shown.tenant, shown.direction], ['talking', 'contoso', 'inbound']);
  assert.match(shown.calling.uri, new RegExp(customerNumber.replace('+', '\\+')));
  assert.equal(shown.seller, listedSeller.id);
  assert.equal(shown.recordings[0].phase, 'active');
  assert.equal(shown.recordings[0].recorderCallId, stage.laboratory.recorder.sessions[0]?.callId);

  const table = await run(stage, 'calls', 'list');
  assert.match(table.stdout, new RegExp(`${id}.*talking.*active`));
  assert.match(table.stdout, /1 calls at s1/);
  const { stdout: described } = await run(stage, 'calls', 'show', id);
  assert.match(described, /recording {2}active at sip:SRS@localhost/);
  assert.match(described, /voices +customer \d\d packets\/s, seller \d\d packets\/s/);
  assert.match(described, /copied: customer \d\d packets\/s, seller \d\d packets\/s/);

  const unknown = await run(stage, 'calls', 'end', 'nobody');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /no live call nobody at s1/);

  assert.equal((await run(stage, 'calls', 'end', id, '--reason', 'fraud case 7')).code, 0);
  assert.deepEqual([(await call.customer.ended).by, (await call.seller.ended).by], ['remote', 'remote']);
  assert.deepEqual(byes, ['SIP;cause=480;text="fraud case 7"', 'SIP;cause=480;text="fraud case 7"']);
  await eventually(() => stage.laboratory.bodies('callEnded').length === 1, 'the call has ended');
  assert.equal(stage.laboratory.bodies('callEnded')[0]?.termination?.reason, 'ended-by-operator');
  assert.deepEqual((await json(stage, 'calls', 'list')).calls, []);
  await stage.nothingIsLeft();
});

test('a recording is stopped and another one begun while the parties talk', async (t) => {
  const set = await recordedCall(t);
  if (!set) return;
  const { stage, call, id } = set;
  const { laboratory } = stage;
  const stopped = await json(stage, 'calls', 'stop-recording', id);
  assert.equal(stopped.recordings[0].phase, 'ended');
  await laboratory.recorder.sessions[0]?.ended;
  await stage.talk(call, 25);
  const again = await run(stage, 'calls', 'stop-recording', id);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /its recording is ended/);

  await json(stage, 'calls', 'start-recording', id);
  await eventually(() => laboratory.bodies('recordingStarted').length === 2, 'it is recorded again');
  await stage.talk(call, 25);
  const [first, second] = laboratory.recorder.sessions;
  assert.notEqual(second?.callId, first?.callId);
  await eventually(() => second?.streams.every((stream) => stream.packets.length > 20) === true, 'both are recorded');
  await call.customer.hangUp();
  await stage.nothingIsLeft();
  assert.deepEqual([first?.findings, second?.findings], [[], []]);
});

test('drain refuses new calls with 503 and leaves the live one alone; undo takes them again', async (t) => {
  const set = await recordedCall(t);
  if (!set) return;
  const { stage, call } = set;
  assert.match((await run(stage, 'drain')).stdout, /^s1 drains: new calls hear 503; 1 live/);
  assert.equal(await stage.laboratory.metric('signalling', 'sidestream_draining'), 1);
  const refused = await stage.customer.call(stage.uri(listedSeller.number));
  assert.equal((await refused.ended).status, 503);
  await stage.talk(call, 25);
  assert.match((await run(stage, 'calls', 'list')).stdout, /1 calls at s1 \(draining\)/);

  assert.match((await run(stage, 'drain', '--undo', '--instance', 's1')).stdout, /^s1 takes calls; 1 live/);
  assert.equal(await stage.laboratory.metric('signalling', 'sidestream_draining'), 0);
  const taken = await stage.inbound();
  await taken.customer.hangUp();
  assert.equal((await run(stage, 'drain', '--instance', 's9')).code, 2);
  assert.equal((await run(stage, 'calls', 'list', '--tenant', 'nobody')).code, 2);
  assert.equal((await run(stage, 'calls')).code, 2);
  await call.customer.hangUp();
  await stage.nothingIsLeft();
});

test('watch tells of a call from its start to its end', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const child = spawnCli(['calls', 'watch', '--json', '--config', stage.laboratory.configFile]);
  t.after(() => child.kill('SIGKILL'));
  const kinds: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => kinds.push(JSON.parse(line).body.$case));
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  await eventually(() => said.includes('watching s1'), 'it watches');
  const call = await stage.inbound();
  await eventually(() => kinds.includes('recordingStarted'), 'the recording is seen to start');
  await call.customer.hangUp();
  await eventually(() => kinds.includes('callEnded'), 'the call is seen to end');
  assert.deepEqual(kinds.sort(), ['callAnswered', 'callEnded', 'callStarted', 'recordingEnded', 'recordingStarted']);
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  assert.deepEqual(await exited, [0, null]);
});

test('calls of every instance are found, and acted on at the one that has them', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const second = await startSecond(t, stage);
  const here = await stage.inbound();
  const there = await stage.customer.call(second.uri(listedSeller.number), { answerTimeoutMs: 10_000 });
  await there.answered;

  const { calls } = await json(stage, 'calls', 'list');
  const ids = Object.fromEntries(calls.map((one: { instance: string; callId: string }) => [one.instance, one.callId]));
  assert.deepEqual(Object.keys(ids).sort(), ['s1', 's2']);
  const at = ['--address', second.grpc];
  assert.deepEqual((await json(stage, 'calls', 'list', ...at)).calls.length, 1);
  assert.equal((await run(stage, 'calls', 'show', ids['s1'], ...at)).code, 1);
  const ambiguous = await run(stage, 'drain');
  assert.equal(ambiguous.code, 2);
  assert.match(ambiguous.stderr, /--instance or --all is needed: of s1, s2/);

  assert.equal((await run(stage, 'calls', 'end', ids['s2'])).code, 0);
  assert.equal((await there.ended).by, 'remote');
  await stage.talk(here, 10);
  await here.customer.hangUp();
  await stage.nothingIsLeft();

  second.service.kill('SIGKILL');
  const drained = await run(stage, 'drain', '--all');
  assert.deepEqual([drained.code, drained.stdout], [1, 's1 drains: new calls hear 503; 0 live\n']);
  assert.match(drained.stderr, /^sidestream: s2: signalling at \S+ can't be reached: connect ECONNREFUSED \S+\n$/);
});
