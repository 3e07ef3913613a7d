import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { callSpan, SidestreamError, type Span, withSpan } from '@sidestream/service';
import { audioSdp } from '../testing/audio-sdp.js';
import { FakeEngine, hang } from '../testing/fake-engine.js';
import { soon } from '../testing/soon.js';
import type { Party } from './ports.js';
import { type LostSession, Relay } from './relay.js';

const parties: readonly Party[] = ['customer', 'seller'];
const log = { info: () => undefined, warn: () => undefined };
const code = (wanted: string) => (error: unknown) => error instanceof SidestreamError && error.code === wanted;
const secure = [
  ...['v=0', 'o=r 1 1 IN IP4 192.0.2.1', 's=r', 'c=IN IP4 192.0.2.1', 't=0 0'],
  ...[1, 2].flatMap(() => ['m=audio 9 RTP/SAVP 0', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`]),
].join('\r\n');

let engine: FakeEngine;
let relay: Relay;
let lost: LostSession[];

beforeEach(() => {
  engine = new FakeEngine();
  relay = new Relay({ engine, maxSessions: 2, log });
  relay.setEngineProblem(undefined);
  lost = [];
  relay.onLost((one) => lost.push(one));
});

async function open(id: string): Promise<void> {
  await relay.openSession(id, 'customer', audioSdp, soon());
  await relay.answerSession(id, 'seller', audioSdp, soon());
}

test('sessions are bounded, unique, and refused while draining', async () => {
  await open('1');
  await assert.rejects(relay.openSession('1', 'customer', audioSdp, soon()), code('already-exists'));
  await open('2');
  await assert.rejects(relay.openSession('3', 'customer', audioSdp, soon()), code('overloaded'));
  relay.drain();
  await assert.rejects(relay.openSession('3', 'customer', audioSdp, soon()), code('draining'));
});

test('an open that fails is ended in the engine, also when its caller gave up', async () => {
  engine.before = (command, _, signal) => (command === 'offer' ? hang(signal) : undefined);
  const caller = new AbortController();
  const opening = relay.openSession('1', 'customer', audioSdp, caller.signal);
  await eventually(() => engine.commands.includes('offer 1'), 'the offer hangs');
  caller.abort(new SidestreamError('cancelled', 'the caller hung up'));
  await assert.rejects(opening, code('cancelled'));
  await eventually(() => relay.sessionCount === 0, 'it is ended');
  assert.ok(engine.commands.includes('close 1'));
});

test('close is done once, whoever asks how often, and counts', async () => {
  await open('1');
  const [first, second] = await Promise.all([relay.closeSession('1'), relay.closeSession('1')]);
  assert.deepEqual(first?.received, [{ party: 'customer', packets: 1, bytes: 172 }]);
  assert.equal(second, first);
  assert.equal(await relay.closeSession('1'), undefined);
  assert.equal(engine.commands.filter((command) => command === 'close 1').length, 1);
});

test('close aborts a command that hangs', async () => {
  await open('1');
  engine.before = (command, _, signal) => (command === 'offer' ? hang(signal) : undefined);
  const update = assert.rejects(relay.updateSession('1', 'seller', audioSdp, soon()), code('not-found'));
  await eventually(() => engine.commands.filter((command) => command === 'offer 1').length === 2, 'it hangs');
  assert.ok(await relay.closeSession('1'));
  await update;
});

test('a close that the engine did not confirm is an error, and the session is gone here', async () => {
  await open('1');
  engine.current = 'gone';
  await assert.rejects(relay.closeSession('1'), code('media-engine-unavailable'));
  assert.equal(relay.sessionCount, 0);
});

test('while the engine is away commands fail at once, naming it', async () => {
  await open('1');
  relay.setEngineProblem('nothing listens at rtpengine at 127.0.0.1:22222');
  const before = engine.commands.length;
  for (const command of [
    relay.openSession('2', 'customer', audioSdp, soon()),
    relay.updateSession('1', 'customer', audioSdp, soon()),
    relay.startFork('1', 'f', parties, soon()),
  ])
    await assert.rejects(command, { code: 'media-engine-unavailable', message: /rtpengine at 127\.0\.0\.1:22222/ });
  assert.equal(engine.commands.length, before);
});

test('a session that the engine does not know is lost, once', async () => {
  await open('1');
  engine.held.clear();
  await assert.rejects(relay.startFork('1', 'f', parties, soon()), code('not-found'));
  await assert.rejects(relay.startFork('1', 'f', parties, soon()), code('not-found'));
  assert.deepEqual(lost, [{ session: '1', reason: 'engine-dropped' }]);
  assert.equal(relay.sessionCount, 0);
});

test('a session that is being closed is not lost', async () => {
  await open('1');
  const closing = relay.closeSession('1');
  relay.lose('1', 'engine-gone');
  await closing;
  assert.deepEqual(lost, []);
});

test('a fork whose answer failed is stopped; if that fails too, it stays in doubt until it is stopped', async () => {
  await open('1');
  await relay.startFork('1', 'f', parties, soon());
  engine.before = (command) => {
    if (command === 'answerFork') throw new SidestreamError('recorder-answer-unusable', 'no');
  };
  await assert.rejects(relay.answerFork('1', 'f', secure, soon()), code('recorder-answer-unusable'));
  assert.equal(relay.forkCount, 0);
  await relay.startFork('1', 'f', parties, soon());
  engine.before = (command) => {
    if (command === 'answerFork' || command === 'stopFork') throw new SidestreamError('media-engine-unavailable', 'no');
  };
  await assert.rejects(relay.answerFork('1', 'f', secure, soon()), code('media-engine-unavailable'));
  assert.equal(relay.sessions()[0]?.forks.get('f')?.phase, 'doubtful');
  engine.before = () => undefined;
  assert.equal(await relay.stopFork('1', 'f', soon()), true);
});

test('an insecure answer never reaches the engine', async () => {
  await open('1');
  await relay.startFork('1', 'f', parties, soon());
  await assert.rejects(
    relay.answerFork('1', 'f', secure.replaceAll('SAVP', 'AVP'), soon()),
    code('recorder-answer-unusable'),
  );
  assert.ok(!engine.commands.includes('answerFork 1'));
  assert.ok(engine.commands.includes('stopFork 1'));
});

test('a fork whose offer failed is stopped: the engine may have taken it', async () => {
  await open('1');
  engine.before = (command) => {
    if (command === 'offerFork') throw new SidestreamError('deadline-exceeded', 'late');
  };
  await assert.rejects(relay.startFork('1', 'f', parties, soon()), code('deadline-exceeded'));
  assert.ok(engine.commands.includes('stopFork 1'));
  assert.equal(relay.forkCount, 0);
});

test('stopping what is not there is no error; other commands are', async () => {
  assert.equal(await relay.stopFork('none', 'f', soon()), false);
  await assert.rejects(relay.pauseFork('none', 'f', soon()), code('not-found'));
  await open('1');
  assert.equal(await relay.stopFork('1', 'f', soon()), false);
});

test('a stop is announced for every session that media flows in; they live on until they are closed', async () => {
  await open('1');
  const opening = new Promise<void>((resolve) => {
    engine.before = (command, _, signal) => {
      if (command !== 'offer') return;
      resolve();
      return hang(signal);
    };
  });
  const second = assert.rejects(relay.openSession('2', 'customer', audioSdp, soon()), code('not-found'));
  await opening;
  relay.announceStop();
  assert.deepEqual(lost, [{ session: '1', reason: 'relay-stopped' }]);
  assert.ok(engine.held.has('1'));
  const media = await relay.closeSession('1');
  assert.deepEqual(media?.received, [{ party: 'customer', packets: 1, bytes: 172 }]);
  await relay.closeAll();
  await second;
});

test('the list has a session from the moment it is being opened', async () => {
  engine.before = (command, _, signal) => (command === 'offer' ? hang(signal) : undefined);
  const caller = new AbortController();
  const opening = assert.rejects(relay.openSession('1', 'customer', audioSdp, caller.signal));
  assert.deepEqual(
    relay.sessions().map(({ id }) => id),
    ['1'],
  );
  caller.abort(new SidestreamError('cancelled', 'over'));
  await opening;
});

test('draining waits until it is empty, or for its deadline', async () => {
  await open('1');
  relay.drain();
  const empty = relay.whenEmpty(soon(60_000));
  await relay.closeSession('1');
  await empty;
  await relay.whenEmpty(soon());
  relay = new Relay({ engine, maxSessions: 2, log });
  relay.setEngineProblem(undefined);
  await open('2');
  const deadline = new AbortController();
  const waiting = relay.whenEmpty(deadline.signal);
  deadline.abort();
  await waiting;
  await relay.closeAll();
  assert.equal(engine.held.size, 0);
});

test('a session is found by its call’s trace for each log line that is of it, and no longer', async () => {
  const said: [string, boolean][] = [];
  const tell = (_fields: object, message: string) => void said.push([message, callSpan('1') === span]);
  relay = new Relay({ engine, maxSessions: 2, log: { info: tell, warn: tell } });
  relay.setEngineProblem(undefined);
  const span = {} as Span;
  const traced = () => relay.openSession('1', 'customer', audioSdp, withSpan(soon(), span));
  await traced();
  relay.lose('1', 'engine-restarted');
  assert.equal(callSpan('1'), undefined);

  engine.before = (command) => {
    throw new SidestreamError('media-engine-unavailable', command);
  };
  await assert.rejects(traced());
  await eventually(() => said.length === 2, 'the session was not ended');
  assert.deepEqual(said, [
    ['media session lost', true],
    ['session not ended in the engine: the sweep will', true],
  ]);
  assert.equal(callSpan('1'), undefined);

  engine.before = () => undefined;
  await traced();
  assert.equal(callSpan('1'), span);
  await relay.closeSession('1');
  assert.equal(callSpan('1'), undefined);
});
