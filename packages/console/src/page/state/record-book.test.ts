import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../api/api-error.js';
import { recordsInPage } from '../api/gateway.js';
import type { CallRecord } from '../api/shapes.js';
import { RecordBook } from './record-book.js';

/** Of a call that ended in this second of the hour. */
const ended = (second: number): CallRecord => ({
  callId: `call-${second}`,
  tenant: 'contoso',
  direction: 'inbound',
  endedAt: new Date(Date.UTC(2026, 10, 26, 12) + second * 1_000).toISOString(),
  durationMs: 1_000,
  recordings: [],
});
/** Of the seconds from `last` down to `first`. */
const page = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => ended(last - index));
const seconds = (records: readonly CallRecord[]) => records.map(({ callId }) => Number(callId.slice(5)));
const history = page(1, 120);
const reader =
  (asked: string[] = []) =>
  async (time: Date) => {
    asked.push(time.toISOString());
    return history.filter(({ endedAt = '' }) => endedAt < time.toISOString()).slice(0, recordsInPage);
  };

test('older records come page by page until there are none, and stay when newer ones are read', async () => {
  const asked: string[] = [];
  const book = new RecordBook(reader(asked));
  assert.equal(book.take(history.slice(0, 50)).length, 50);
  assert.equal(book.older.value.state, 'idle');
  await book.readOlder();
  // One millisecond later than the oldest known: those that ended in the same one may be on either side.
  assert.deepEqual(asked, ['2026-11-26T12:01:11.001Z']);
  assert.equal(book.all().length, 99);
  await book.readOlder();
  assert.deepEqual([book.all().length, book.older.value.state], [120, 'none']);
  await book.readOlder();
  assert.equal(asked.length, 2);
  assert.equal(book.take([ended(121), ...history.slice(0, 49)]).length, 121);
});

test('a record that comes late takes its place', () => {
  const book = new RecordBook(reader());
  book.take([ended(5), ended(3)]);
  assert.deepEqual(seconds(book.take([ended(5), ended(4), ended(3)])), [5, 4, 3]);
});

test('a page that does not reach back to what is known begins anew: no gap is hidden', async () => {
  const book = new RecordBook(reader());
  book.take(page(1, 10));
  assert.equal(book.older.value.state, 'none');
  assert.equal(book.take(page(71, 120)).length, 50);
  assert.equal(book.older.value.state, 'idle');
});

test('what fails is told, and may be tried again', async () => {
  let isDown = true;
  const read = reader();
  const book = new RecordBook((time) => {
    if (isDown) throw new ApiError('unavailable', 'NATS is away.');
    return read(time);
  });
  book.take(history.slice(0, 50));
  await book.readOlder();
  assert.deepEqual([book.older.value.state, book.older.value.error?.message], ['idle', 'NATS is away.']);
  isDown = false;
  await book.readOlder();
  assert.equal(book.older.value.error, undefined);
  assert.equal(book.all().length, 99);
});
