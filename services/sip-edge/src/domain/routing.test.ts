import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteTable } from './routing.js';

test('requests of a method go round the clients that want it', () => {
  const routes = new RouteTable<string>();
  routes.add('invite', 'a');
  routes.add('invite', 'b');
  routes.add('options', 'b');
  assert.deepEqual(
    [1, 2, 3, 4].map(() => routes.next('invite')),
    ['a', 'b', 'a', 'b'],
  );
  assert.equal(routes.next('options'), 'b');
  assert.equal(routes.next('register'), undefined);
});

test('a verb sent twice is one slot, so that nobody gets two calls in a row', () => {
  const routes = new RouteTable<string>();
  for (const client of ['a', 'a', 'b']) routes.add('invite', client);
  assert.deepEqual(
    [1, 2, 3].map(() => routes.next('invite')),
    ['a', 'b', 'a'],
  );
});

test('remove_route takes the named verb and leaves the others', () => {
  const routes = new RouteTable<string>();
  routes.add('invite', 'a');
  routes.add('options', 'a');
  routes.remove('invite', 'a');
  assert.equal(routes.next('invite'), undefined);
  assert.equal(routes.next('options'), 'a');
});

test('a client that has gone gets nothing', () => {
  const routes = new RouteTable<string>();
  routes.add('invite', 'a');
  routes.add('invite', 'b');
  routes.removeClient('a');
  assert.deepEqual([routes.next('invite'), routes.next('invite')], ['b', 'b']);
});

test('the number of verbs is bounded', () => {
  const routes = new RouteTable<string>(2);
  assert.deepEqual(
    ['a', 'b', 'c', 'a'].map((verb) => routes.add(verb, 'client')),
    [true, true, false, true],
  );
});
