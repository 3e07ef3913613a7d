import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { startDialer } from './dialer.js';
import { quick, stage } from './dialer-stage.js';
import { ended, started, tomorrow } from './scripted-gateway.js';

test('reauthenticate: a new token, in place, without lastEventId', async (t) => {
  const { gateway, tokens } = await stage(t);
  const connection = await gateway.connection();
  await connection.accept();
  connection.send(started('1'));
  connection.send({ type: 'reauthenticate', expiresAt: tomorrow });
  assert.deepEqual(await connection.frame(2), { type: 'authenticate', token: 'token 2' });
  assert.deepEqual(tokens, [false, true]);
  assert.equal(gateway.connections.length, 1);
});

test('who has had no event yet resumes from the place that the gateway named first', async (t) => {
  const { gateway } = await stage(t);
  const first = await gateway.connection();
  await first.accept({ place: '41' });
  first.reset();
  assert.equal((await (await gateway.connection(2)).accept())['lastEventId'], '41');
});

test('reauthenticate while an authentication is under way: the new token goes when that has been answered', async (t) => {
  const { gateway, tokens, problems } = await stage(t, { timing: { ...quick, silenceMs: 5 } });
  const connection = await gateway.connection();
  await connection.accept();
  await connection.frame(2);
  connection.send({ type: 'reauthenticate', expiresAt: tomorrow });
  connection.send('so that something has come after it');
  await eventually(() => problems.length === 1, 'it has come');
  assert.equal(connection.frames.length, 2);
  connection.authenticated();
  assert.equal((await connection.frame(3))['token'], 'token 3');
  assert.deepEqual(tokens.slice(0, 3), [false, false, true]);
});

test('4401: a fresh token is fetched; three that are refused in a row end it with the reason', async (t) => {
  const { gateway, states, reached, tokens } = await stage(t);
  for (const count of [1, 2, 3, 4]) {
    const connection = await gateway.connection(count);
    await connection.frame();
    connection.close(4401, 'wrong-audience');
  }
  await reached('stopped token-refused');
  assert.deepEqual(states.at(-1), { state: 'stopped', reason: 'token-refused', detail: 'wrong-audience' });
  assert.deepEqual(tokens, [false, true, true, true]);
});

test('4401 once: the fresh token is taken, and the count begins anew', async (t) => {
  const { gateway, reached } = await stage(t);
  const first = await gateway.connection();
  await first.accept();
  first.close(4401, 'expired');
  const second = await gateway.connection(2);
  assert.equal((await second.accept())['token'], 'token 2');
  await reached('connected');
});

test('a browser that refuses to connect is told as that, not as a token that is missing', async (t) => {
  class Forbidden {
    constructor() {
      throw new Error('SecurityError');
    }
  }
  const { states, reached } = await stage(t, { WebSocket: Forbidden as unknown as typeof WebSocket });
  await reached('waiting connection-lost');
  assert.match(JSON.stringify(states), /SecurityError/);
});

test('4403 ends it', async (t) => {
  const { gateway, states, reached } = await stage(t);
  const connection = await gateway.connection();
  await connection.frame();
  connection.close(4403, 'origin');
  await reached('stopped forbidden');
  assert.deepEqual(states.at(-1), { state: 'stopped', reason: 'forbidden', detail: 'origin' });
});

test('4409: resumed from the beginning, and what was settled before is not raised again', async (t) => {
  const { gateway, names } = await stage(t);
  const first = await gateway.connection();
  await first.accept({ place: '40' });
  first.send(started('41', 'a'));
  await eventually(() => names().length === 1, 'raised');
  first.reset();
  const second = await gateway.connection(2);
  assert.equal((await second.frame())['lastEventId'], '41');
  second.close(4409);
  const third = await gateway.connection(3);
  assert.equal((await third.accept())['lastEventId'], '0');
  third.send(started('41', 'a'));
  // A stream that began anew has reached the same place.
  third.send(started('41', 'b'));
  third.send(ended('42', 'a'));
  await eventually(() => names().length === 3, 'raised');
  assert.deepEqual(names(), ['WIDGET_CALL_STARTED a', 'WIDGET_CALL_STARTED b', 'WIDGET_CALL_ENDED a']);
});

test('a token of another seller on the way ends it', async (t) => {
  const { gateway, states, reached } = await stage(t);
  const first = await gateway.connection();
  await first.accept();
  await reached('connected');
  first.reset();
  await (await gateway.connection(2)).accept({ seller: 'bob' });
  await reached('stopped forbidden');
  assert.deepEqual(states.at(-1), { state: 'stopped', reason: 'forbidden', detail: 'another seller' });
});

test('a gateway that has fallen silent is asked, and left when it does not answer', async (t) => {
  const { gateway, reached } = await stage(t, { timing: { ...quick, silenceMs: 20, answerMs: 20 } });
  const connection = await gateway.connection();
  await connection.accept();
  assert.deepEqual(await connection.frame(2), { type: 'authenticate', token: 'token 2' });
  await reached('waiting no-answer');
  await gateway.connection(2);
});

test('a gateway that answers is not left', async (t) => {
  const { gateway } = await stage(t, { timing: { ...quick, silenceMs: 5 } });
  const connection = await gateway.connection();
  await connection.accept();
  for (const count of [2, 3, 4]) {
    await connection.frame(count);
    connection.authenticated();
  }
  await connection.frame(5);
  assert.equal(gateway.connections.length, 1);
});

test('offline and online of the browser: left at once, and back at once', async (t) => {
  const network = new EventTarget();
  const { gateway, reached } = await stage(t, {
    network,
    timing: { ...quick, firstRetryMs: 600_000, longestRetryMs: 600_000 },
  });
  await (await gateway.connection()).accept();
  await reached('connected');
  network.dispatchEvent(new Event('offline'));
  await reached('waiting offline');
  network.dispatchEvent(new Event('online'));
  await (await gateway.connection(2)).frame();
});

test('no token: it tries again, later and later within bounds, and connects when there is one', async (t) => {
  let asked = 0;
  const { gateway, states, reached } = await stage(t, {
    getToken: async () => {
      asked += 1;
      if (asked <= 6) throw new Error('signed out');
      return 'token';
    },
  });
  await (await gateway.connection()).accept();
  await reached('connected');
  const waits = states.flatMap((state) => (state.state === 'waiting' ? [state] : []));
  assert.equal(waits.length, 6);
  for (const [count, { reason, detail, retryInMs }] of waits.entries()) {
    assert.equal(reason, 'no-token');
    assert.match(detail, /signed out/);
    const limit = Math.min(quick.longestRetryMs, quick.firstRetryMs * 2 ** count);
    assert.ok(retryInMs >= Math.floor(limit / 2) && retryInMs <= limit, `${retryInMs} of ${limit}`);
  }
});

test('stopped: disconnected, told, and nothing follows', async (t) => {
  const { gateway, dialer, states, names, reached } = await stage(t);
  const connection = await gateway.connection();
  await connection.accept();
  await reached('connected');
  connection.send(started('1'));
  dialer.stop();
  await eventually(() => connection.closeCode !== undefined, 'it has disconnected');
  assert.equal(connection.closeCode, 1000);
  assert.deepEqual(names(), []);
  assert.equal(states.at(-1)?.state, 'stopped');
});

test('a URL that is none of a WebSocket is refused', () => {
  const getToken = async () => '';
  const cif = Promise.reject(new Error('unused'));
  cif.catch(() => undefined);
  assert.throws(() => startDialer({ url: 'https://gateway.example/', getToken, cif }), TypeError);
  assert.throws(() => startDialer({ url: 'gateway', getToken, cif }), TypeError);
});
