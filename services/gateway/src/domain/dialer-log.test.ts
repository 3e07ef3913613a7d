import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Told } from './dialer-event.js';
import { DialerLog } from './dialer-log.js';

const ada = { tenant: 'contoso', seller: 'ada' };
const bob = { tenant: 'contoso', seller: 'bob' };
const told = (sequence: number, seller = ada): Told => ({
  ...seller,
  id: String(sequence),
  event: 'CALL_NOT_RECORDED',
  payload: { callId: 'c', reason: 'r' },
});

function logOf(...sequences: number[]): DialerLog {
  const log = new DialerLog({ eventsPerSeller: 3, maxSellers: 2 });
  log.read(10);
  for (const sequence of sequences) {
    log.read(sequence);
    log.add(told(sequence), sequence);
  }
  return log;
}

const missed = (log: DialerLog, id: string, seller = ada) => {
  const resumption = log.after(seller, id);
  return typeof resumption === 'string' ? resumption : resumption.missed.map((one) => one.id);
};

test('what came after an id is given, in order', () => {
  const log = logOf(11, 15, 20);
  assert.deepEqual(missed(log, '11'), ['15', '20']);
  assert.deepEqual(missed(log, '20'), []);
});

test('an id from the future is ahead, what is none is unknown', () => {
  const log = logOf(11, 15);
  for (const id of ['16', '999999999999999']) assert.equal(missed(log, id), 'ahead', id);
  for (const id of ['-1', '1e3', 'x', '', '99999999999999999999']) assert.equal(missed(log, id), 'unknown', id);
});

test('who waits for a place is called back once, when it is reached or passed', () => {
  const log = logOf(11);
  const reached: string[] = [];
  for (const id of ['13', '14.3', '16']) log.whenReached(id, () => reached.push(id));
  const cancel = log.whenReached('14', () => reached.push('given up'));
  log.read(12);
  assert.deepEqual(reached, []);
  cancel();
  log.read(15);
  log.read(15);
  assert.deepEqual(reached, ['13', '14.3']);
});

test('who has been told nothing yet resumes from the place at which it came', () => {
  const log = logOf(11);
  log.read(14);
  const place = log.placeOf(ada);
  assert.equal(place, '14');
  assert.deepEqual(missed(log, place), []);
  // A deadline passes, which tells by the id of an answer before.
  log.add(told(13), 14);
  log.read(16);
  log.add(told(16), 16);
  assert.deepEqual(missed(log, place), ['13', '16']);
  assert.deepEqual(missed(log, place, bob), []);
});

test('who comes behind what a deadline has told hears it no more, who came before it does', () => {
  const log = logOf(11);
  log.read(20);
  const before = log.placeOf(ada);
  log.add(told(13), 20);
  const place = log.placeOf(ada);
  assert.deepEqual([before, place, log.placeOf(bob)], ['20', '20.13', '20']);
  assert.deepEqual([missed(log, before), missed(log, place)], [['13'], []]);
  log.add(told(12), 20);
  log.read(21);
  log.add(told(21), 21);
  assert.deepEqual([missed(log, place), log.placeOf(ada)], [['12', '21'], '21']);
  // At an instance that has not told it, the place alone counts.
  assert.deepEqual([missed(logOf(11, 20, 21), place), missed(logOf(11), place)], [['21'], 'ahead']);
  for (const id of ['20.', '.13', '20.1.3', '20.x']) assert.equal(missed(log, id), 'unknown', id);
});

test('an id from before what is kept gives all that is kept; what is old is kept no more', () => {
  assert.deepEqual(missed(logOf(11, 15), '9'), ['11', '15']);
  const log = logOf(11, 12, 13, 14);
  assert.deepEqual(missed(log, '11'), ['12', '13', '14']);
  log.forget(14);
  assert.deepEqual(missed(log, '11'), ['14']);
  log.forget(15);
  assert.deepEqual([missed(log, '11'), log.sellers], [[], 0]);
});

test('what is old is not told, though a newer event of its seller is kept, nor once that event is gone', () => {
  const log = logOf(11);
  log.read(12);
  log.add(told(12, bob), 12);
  log.read(13);
  log.add(told(13), 13);
  log.forget(12);
  assert.deepEqual([missed(log, '10'), missed(log, '10', bob), log.sellers], [['13'], ['12'], 2]);
  log.forget(13);
  assert.deepEqual([missed(log, '10'), missed(log, '10', bob), log.sellers], [['13'], [], 1]);
  // It came too late to be kept, and keeps nothing else from being forgotten.
  log.add(told(14, bob), 1);
  log.forget(20);
  assert.equal(log.sellers, 0);
});

test('to forget costs nothing while there is nothing old', () => {
  const log = new DialerLog({ eventsPerSeller: 3, maxSellers: 100_000 });
  for (let seller = 0; seller < 50_000; seller += 1)
    log.add(told(1, { tenant: 'contoso', seller: String(seller) }), 10);
  const begin = performance.now();
  for (let turn = 0; turn < 1_000; turn += 1) log.forget(5);
  // Walking over all of them takes more than a millisecond, here a thousand times.
  assert.ok(performance.now() - begin < 500, `${performance.now() - begin} ms`);
  assert.equal(log.sellers, 50_000);
});

test('listeners hear their own seller alone, until they stop; sellers without a listener are forgotten when there are too many', () => {
  const log = logOf(11);
  const heard: string[] = [];
  const stop = log.listen(ada, ({ id }) => heard.push(id));
  log.add(told(12), 20);
  log.add(told(13, bob), 20);
  log.add(told(14, { tenant: 'contoso', seller: 'eve' }), 20);
  stop();
  log.add(told(15), 20);
  assert.deepEqual(heard, ['12']);
  assert.equal(log.sellers, 2);
});

test('when the stream begins anew no id of before is known, and who listens is told what comes', () => {
  const log = logOf(11, 12);
  const heard: string[] = [];
  log.listen(ada, ({ id }) => heard.push(id));
  log.restart();
  assert.equal(log.placeOf(ada), '0');
  assert.equal(missed(log, '12'), 'ahead');
  log.read(1);
  log.add(told(1), 20);
  assert.deepEqual(missed(log, '0'), ['1']);
  assert.deepEqual(heard, ['1']);
  // Of calls that began in the stream before.
  for (const _ of ['one', 'other']) log.add(told(0), 20);
  assert.deepEqual([missed(log, '0'), log.placeOf(ada), missed(log, '1')], [['1', '0', '0'], '1.0', ['0', '0']]);
});
