import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { CifError } from './cif.js';
import { stage } from './dialer-stage.js';
import { ended, started } from './scripted-gateway.js';

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

test('CIF that is too old, or there, is told at once and once', async (t) => {
  const outcomes: unknown[] = [];
  const cif = (async () => {
    throw new CifError('too-old', 'the CIF library has no raiseEvent');
  })();
  await stage(t, { cif, onCif: (outcome) => outcomes.push(outcome) });
  await stage(t, { onCif: (outcome) => outcomes.push(outcome) });
  await eventually(() => outcomes.length === 2, 'both are told');
  assert.deepEqual(outcomes, [
    { ready: false, code: 'too-old', detail: 'CifError: the CIF library has no raiseEvent' },
    { ready: true },
  ]);
});
