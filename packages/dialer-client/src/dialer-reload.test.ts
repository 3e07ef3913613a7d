import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { type Cif, CifError } from './cif.js';
import type { DialerOptions } from './dialer.js';
import { stage } from './dialer-stage.js';
import type { MemoryStorage } from './memory.js';
import { ended, ScriptedGateway, started } from './scripted-gateway.js';

/** A tab in which a page is loaded again and again. */
function tab() {
  const stored = new Map<string, string>();
  const storage: MemoryStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => void stored.set(key, value),
  };
  return { stored, storage };
}

/** Pages of one tab at one gateway; each goes when the next one comes. */
async function pages(t: TestContext) {
  const gateway = await ScriptedGateway.start(t);
  const { stored, storage } = tab();
  let leave = () => {};
  const load = async (options: Partial<DialerOptions> = {}) => {
    leave();
    const count = gateway.connections.length + 1;
    const page = await stage(t, { url: gateway.url, storage, ...options });
    leave = () => page.dialer.stop();
    return { ...page, connection: await gateway.connection(count) };
  };
  return { gateway, stored, load };
}

const isCallStarted = ([, input]: [string, object | string]) => (input as { isCallStarted: boolean }).isCallStarted;

test('a page that is loaded again goes on behind the last event that was raised', async (t) => {
  const { load } = await pages(t);
  const { connection, names } = await load();
  await connection.accept();
  connection.send(started('1'));
  await eventually(() => names().length === 1, 'raised');
  assert.equal((await (await load()).connection.frame())['lastEventId'], '1');
});

test('a page that is loaded again before its first event resumes from where the one before began', async (t) => {
  const { load } = await pages(t);
  const { connection, reached, names } = await load();
  assert.ok(!('lastEventId' in (await connection.accept({ place: '41' }))));
  await reached('connected');
  assert.deepEqual(names(), []);
  const again = await load();
  assert.equal((await again.connection.accept({ place: '43' }))['lastEventId'], '41');
  again.connection.send(started('42'));
  await eventually(() => again.names().length === 1, 'what began meanwhile is raised');
});

test('an event that was on its way into Dynamics 365 when the page went is raised by the next one', async (t) => {
  const { load } = await pages(t);
  const never = new Promise<boolean>(() => undefined);
  let asked = 0;
  const raiseEvent = () => {
    asked += 1;
    return never;
  };
  const { connection } = await load({ cif: Promise.resolve({ raiseEvent }) });
  await connection.accept({ place: '41' });
  connection.send(started('42'));
  await eventually(() => asked === 1, 'it is being raised');
  assert.equal((await (await load()).connection.frame())['lastEventId'], '41');
});

test('a page that has no CIF leaves what it could not raise, and what came after it, to the next one', async (t) => {
  const { load } = await pages(t);
  const cif = Promise.reject<Cif>(new CifError('no-init', 'CIFInitDone did not come'));
  const outcomes: string[] = [];
  const onRaised: DialerOptions['onRaised'] = ({ id }, { raised }) => outcomes.push(`${id} ${raised}`);
  const { connection } = await load({ cif, onRaised });
  await connection.accept({ place: '41' });
  connection.send(started('42', 'c0ffee'));
  const payload = { callId: 'decaf', reason: 'failed' };
  connection.send({ type: 'event', id: '43', event: 'CALL_NOT_RECORDED', payload });
  connection.send(started('44', 'tea'));
  await eventually(() => outcomes.length === 2, 'nothing is raised');
  assert.deepEqual(outcomes, ['42 false', '44 false']);
  const again = await load();
  assert.equal((await again.connection.accept())['lastEventId'], '41');
  again.connection.send(started('42', 'c0ffee'));
  again.connection.send(ended('45', 'c0ffee'));
  await eventually(() => again.raised.length === 2, 'raised');
  assert.deepEqual(again.names(), ['WIDGET_CALL_STARTED c0ffee', 'WIDGET_CALL_ENDED c0ffee']);
  assert.ok(again.raised.slice(1).every(isCallStarted));
});

test('loaded again in mid-call: the end says that the call was started, for the page before has raised that', async (t) => {
  const { load } = await pages(t);
  const { connection, names } = await load();
  await connection.accept();
  connection.send(started('1', 'c0ffee'));
  await eventually(() => names().length === 1, 'raised');
  const again = await load();
  await again.connection.accept();
  again.connection.send(ended('2', 'c0ffee'));
  await eventually(() => again.raised.length === 1, 'raised');
  assert.deepEqual(again.raised.map(isCallStarted), [true]);
});

test('opened in mid-call: the end says that nothing was started', async (t) => {
  const { gateway, raised } = await stage(t);
  const connection = await gateway.connection();
  await connection.accept({ place: '7' });
  connection.send(ended('8', 'c0ffee'));
  await eventually(() => raised.length === 1, 'raised');
  assert.deepEqual(raised.map(isCallStarted), [false]);
});

test('another seller in the same tab resumes from a place of their own, and the first one from theirs', async (t) => {
  const { gateway, load } = await pages(t);
  const ada = await load();
  await ada.connection.accept({ place: '10' });
  ada.connection.send(started('11', 'a'));
  await eventually(() => ada.names().length === 1, 'raised');

  const bob = await load();
  // Nobody can know yet that it is Bob.
  assert.equal((await bob.connection.accept({ seller: 'bob', place: '20' }))['lastEventId'], '11');
  bob.connection.send(started('12', 'of yesterday'));
  const second = await gateway.connection(3);
  assert.equal((await second.accept({ seller: 'bob', place: '22' }))['lastEventId'], '20');
  await bob.reached('connected');
  second.send(started('21', 'b'));
  await eventually(() => bob.names().length === 1, 'raised');
  assert.deepEqual(bob.names(), ['WIDGET_CALL_STARTED b']);

  const again = await load();
  assert.equal((await again.connection.accept())['lastEventId'], '21');
  assert.equal((await (await gateway.connection(5)).accept())['lastEventId'], '11');
});

test('4409 after a page was loaded again: what the one before has raised is not raised again', async (t) => {
  const { gateway, load } = await pages(t);
  const { connection, names } = await load();
  await connection.accept();
  connection.send(started('1', 'a'));
  await eventually(() => names().length === 1, 'raised');
  const again = await load();
  again.connection.close(4409);
  const third = await gateway.connection(3);
  assert.equal((await third.accept())['lastEventId'], '0');
  third.send(started('1', 'a'));
  third.send(ended('2', 'a'));
  await eventually(() => again.names().length > 0, 'raised');
  assert.deepEqual(again.names(), ['WIDGET_CALL_ENDED a']);
  assert.deepEqual(again.raised.map(isCallStarted), [true]);
});

test('what is stored is bounded, and has no names or numbers', async (t) => {
  const { stored, load } = await pages(t);
  const { connection, names } = await load();
  await connection.accept();
  for (let id = 1; id <= 300; id += 1) {
    connection.send(started(String(id)));
    await eventually(() => names().length === id, 'raised');
  }
  const all = [...stored.values()].join();
  assert.ok(all.length < 20_000, `${all.length} characters`);
  assert.ok(!/Carla|\+49/.test(all), all);
});

test('a storage with something else in it is begun anew', async (t) => {
  for (const text of ['', 'null', '[', '7', '{"place":7,"started":"x","settled":[7]}']) {
    const gateway = await ScriptedGateway.start(t);
    const storage = { getItem: () => text, setItem: () => undefined };
    const { names, dialer } = await stage(t, { url: gateway.url, storage });
    const connection = await gateway.connection();
    assert.ok(!('lastEventId' in (await connection.accept({ seller: text || 'ada' }))), text);
    connection.send(started('1'));
    await eventually(() => names().length === 1, 'raised');
    dialer.stop();
  }
});
