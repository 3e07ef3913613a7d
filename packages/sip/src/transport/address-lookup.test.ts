import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesOf, systemLookup } from './address-lookup.js';

const never = new AbortController().signal;

for (const [what, found, expected] of [
  [
    'families take turns, beginning with the preferred one',
    ['2001:db8::1', '2001:db8::2', '192.0.2.1'],
    ['2001:db8::1', '192.0.2.1', '2001:db8::2'],
  ],
  [
    'the order within a family is kept',
    ['192.0.2.2', '192.0.2.1', '2001:db8::1'],
    ['192.0.2.2', '2001:db8::1', '192.0.2.1'],
  ],
  ['one family alone is as it was found', ['192.0.2.2', '192.0.2.1'], ['192.0.2.2', '192.0.2.1']],
] as const) {
  test(`RFC 8305 §4: ${what}`, async () => {
    assert.deepEqual(await addressesOf('recorder.test', async () => found, never), expected);
  });
}

test('an address is not looked up', async () => {
  const none = () => Promise.reject(new Error('asked'));
  assert.deepEqual(await addressesOf('::1', none, never), ['::1']);
});

test("the system's resolver knows the hosts file", async () => {
  assert.ok((await addressesOf('localhost', systemLookup, never)).includes('127.0.0.1'));
});

test('who asks for a name while it is being looked up shares the answer; later it is looked up anew', async () => {
  const first = systemLookup('localhost');
  assert.equal(systemLookup('localhost'), first);
  await first;
  const later = systemLookup('localhost');
  assert.notEqual(later, first);
  await later;
});

test('an unknown name, and one without addresses, are transport-failed and named', async () => {
  const unknown = () => Promise.reject(new Error('getaddrinfo ENOTFOUND recorder.test'));
  for (const lookup of [unknown, async () => []]) {
    await assert.rejects(addressesOf('recorder.test', lookup, never), {
      code: 'transport-failed',
      message: /^recorder\.test: /,
    });
  }
});

test('a resolver that never answers is left alone when the time is over', async () => {
  const over = new AbortController();
  const waiting = addressesOf('recorder.test', () => new Promise(() => undefined), over.signal);
  over.abort(new Error('over'));
  await assert.rejects(waiting, /over/);
});
