import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { WebSocket as NodeWebSocket } from 'ws';
import { type DialerOptions, startDialer } from './dialer.js';
import { ended, ScriptedGateway, started, tomorrow } from './scripted-gateway.js';
import type { ConnectionState } from './states.js';

const quick = {
  connectMs: 30_000,
  answerMs: 30_000,
  silenceMs: 30_000,
  firstRetryMs: 5,
  longestRetryMs: 40,
  retryMs: 1,
  attemptMs: 30_000,
};

/** A dialer at a gateway that the test plays, with a CIF that takes everything, and what it was told. */
async function stage(t: TestContext, options: Partial<DialerOptions> = {}) {
  const gateway = await ScriptedGateway.start(t);
  const raised: [string, object | string][] = [];
  const states: ConnectionState[] = [];
  const tokens: boolean[] = [];
  const problems: string[] = [];
  const dialer = startDialer({
    url: gateway.url,
    getToken: async ({ refresh }) => `token ${tokens.push(refresh)}`,
    cif: Promise.resolve({ raiseEvent: async (name, input) => raised.push([name, input]) > 0 }),
    onConnection: (state) => states.push(state),
    onProblem: (text) => problems.push(text),
    WebSocket: NodeWebSocket as unknown as typeof WebSocket,
    timing: quick,
    ...options,
  });
  t.after(() => dialer.stop());
  const names = () => raised.map(([name, input]) => `${name} ${(input as { callId: string }).callId}`);
  const reached = (wanted: string) =>
    eventually(
      () => states.some(({ state, ...rest }) => `${state} ${'reason' in rest ? rest.reason : ''}`.trim() === wanted),
      wanted,
    );
  return { gateway, dialer, raised, names, states, reached, tokens, problems };
}

test('the token goes in the first frame, and events are raised in order with Dates', async (t) => {
  const { gateway, raised, reached } = await stage(t);
  const connection = await gateway.connection();
  assert.deepEqual(await connection.accept(), { type: 'authenticate', token: 'token 1' });
  assert.equal(connection.path, '/dialer/v1/events');
  await reached('connected');
  connection.send(started('1', 'c0ffee'));
  connection.send(ended('2', 'c0ffee'));
  await eventually(() => raised.length === 2, 'both events are raised');
  assert.deepEqual(raised, [
    [
      'WIDGET_CALL_STARTED',
      {
        callId: 'c0ffee',
        startTime: new Date('2026-01-02T03:04:05.678Z'),
        isIncomingCall: true,
        contactNumber: '+4915112345678',
        contactName: 'Carla',
      },
    ],
    [
      'WIDGET_CALL_ENDED',
      {
        callId: 'c0ffee',
        callDurationInSeconds: 7,
        callTerminationReason: 'success',
        callEndTime: new Date('2026-01-02T03:04:12.678Z'),
        isCallStarted: true,
      },
    ],
  ]);
});

test('payload json: raiseEvent gets a JSON string', async (t) => {
  const { gateway, raised } = await stage(t, { payload: 'json' });
  const connection = await gateway.connection();
  await connection.accept();
  connection.send(started('1', 'c0ffee'));
  await eventually(() => raised.length === 1, 'raised');
  const [, input] = raised[0] ?? [];
  assert.equal(typeof input, 'string');
  assert.equal(JSON.parse(String(input)).startTime, '2026-01-02T03:04:05.678Z');
});

test('after a lost connection it resumes behind the last event, and what comes twice is raised once', async (t) => {
  const { gateway, names, reached } = await stage(t);
  const first = await gateway.connection();
  assert.ok(!('lastEventId' in (await first.accept())));
  first.send(started('1'));
  await eventually(() => names().length === 1, 'raised');
  first.close(1001, 'restart');
  await reached('waiting going-away');
  const second = await gateway.connection(2);
  assert.equal((await second.accept())['lastEventId'], '1');
  second.send(started('1'));
  second.send(ended('2', 'call-1'));
  await eventually(() => names().length === 2, 'raised');
  assert.deepEqual(names(), ['WIDGET_CALL_STARTED call-1', 'WIDGET_CALL_ENDED call-1']);
});

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

test('4403 ends it', async (t) => {
  const { gateway, states, reached } = await stage(t);
  const connection = await gateway.connection();
  await connection.frame();
  connection.close(4403, 'origin');
  await reached('stopped forbidden');
  assert.deepEqual(states.at(-1), { state: 'stopped', reason: 'forbidden', detail: 'origin' });
});

test('4409: the id that the gateway does not know is forgotten', async (t) => {
  const storage = new Map([['sidestream.lastEventId', 'of another deployment']]);
  const { gateway } = await stage(t, {
    storage: { getItem: (key) => storage.get(key) ?? null, setItem: (key, value) => storage.set(key, value) },
  });
  const first = await gateway.connection();
  assert.equal((await first.frame())['lastEventId'], 'of another deployment');
  first.close(4409);
  assert.ok(!('lastEventId' in (await (await gateway.connection(2)).frame())));
});

test('a page that is loaded again goes on behind the last event that was raised', async (t) => {
  const stored = new Map<string, string>();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  };
  const { gateway, dialer } = await stage(t, { storage });
  const connection = await gateway.connection();
  await connection.accept();
  connection.send(started('1'));
  await eventually(() => stored.size === 1, 'stored');
  dialer.stop();
  const again = await stage(t, { storage });
  assert.equal((await (await again.gateway.connection()).frame())['lastEventId'], '1');
});

test('a storage that throws costs the resuming only', async (t) => {
  const storage = {
    getItem: () => {
      throw new Error('forbidden');
    },
    setItem: () => {
      throw new Error('full');
    },
  };
  const { gateway, names } = await stage(t, { storage });
  const connection = await gateway.connection();
  await connection.accept();
  connection.send(started('1'));
  connection.send(ended('2', 'call-1'));
  await eventually(() => names().length === 2, 'raised');
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
    connection.send({ type: 'authenticated', seller: 'ada', expiresAt: tomorrow });
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

test('frames that are none, and events that nobody knows, are told and passed over', async (t) => {
  const { gateway, names, problems } = await stage(t);
  const connection = await gateway.connection();
  await connection.accept();
  connection.send('no JSON');
  connection.send('null');
  connection.send({ type: 'event', event: 'WIDGET_CALL_STARTED' });
  connection.send({ type: 'from-the-future' });
  connection.send({ type: 'event', id: '7', event: 'WIDGET_SOMETHING_ELSE', payload: {} });
  connection.send({
    type: 'event',
    id: '8',
    event: 'WIDGET_CALL_STARTED',
    payload: { callId: 'x', startTime: 'noon' },
  });
  await eventually(() => problems.length === 6, 'six problems');
  connection.close(1000);
  const second = await gateway.connection(2);
  assert.equal((await second.accept())['lastEventId'], '8');
  second.send(started('9'));
  await eventually(() => names().length === 1, 'raised');
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

test('events that CIF takes more slowly than they come stay with the gateway', async (t) => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const taken: string[] = [];
  const { gateway, reached } = await stage(t, {
    cif: Promise.resolve({
      raiseEvent: async (_, input) => {
        await gate;
        return taken.push((input as { callId: string }).callId) > 0;
      },
    }),
  });
  const first = await gateway.connection();
  await first.accept();
  for (let id = 0; id < 150; id += 1) first.send(started(String(id)));
  await reached('waiting cif-busy');
  await eventually(() => first.closeCode !== undefined, 'it has disconnected');
  open();
  const second = await gateway.connection(2);
  const { lastEventId } = await second.accept();
  for (let id = Number(lastEventId) + 1; id < 150; id += 1) second.send(started(String(id)));
  await eventually(() => taken.length === 150, 'all are raised');
  assert.deepEqual(
    taken,
    Array.from({ length: 150 }, (_, id) => `call-${id}`),
  );
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
