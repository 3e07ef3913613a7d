import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trunkSchema } from '@sidestream/service';
import fc from 'fast-check';
import { Route } from './route.js';

function route(over: object): Route {
  const [config] = trunkSchema.parse({
    tenant: 't',
    side: 'seller',
    targets: ['sip:a'],
    routes: [{ to: 'a', ...over }],
  }).routes;
  assert.ok(config);
  return new Route(config);
}

const call = (dialled: string, o: { international?: string; headers?: Record<string, string> } = {}) => ({
  called: { dialled, international: o.international, emergency: false },
  calling: { dialled: '', international: undefined, emergency: false },
  header: (name: string) => o.headers?.[name],
});

const number = fc.stringMatching(/^\+?[0-9]{1,15}$/);

test('a prefix takes every number that begins so and no other; an exact number itself alone', () => {
  fc.assert(
    fc.property(number, number, (one, other) => {
      assert.equal(route({ called: { prefix: one } }).matches(call(one + other.replace('+', ''))), true);
      assert.equal(route({ called: { prefix: one } }).matches(call(other)), other.startsWith(one));
      assert.equal(route({ called: { exact: one } }).matches(call(other)), other === one);
      assert.equal(route({ called: { exact: one } }).matches(call('x', { international: one })), true);
    }),
  );
});

test('a regular expression takes the whole number or nothing', () => {
  fc.assert(
    fc.property(number, fc.nat({ max: 9 }), (digits, more) => {
      const exact = route({ called: { regex: digits.replace('+', '\\+') } });
      assert.equal(exact.matches(call(digits)), true);
      assert.equal(exact.matches(call(`${digits}${more}`)), false);
    }),
  );
});

test('no pattern holds up a call, however it is nested', () => {
  const slow = route({ called: { regex: '((\\d+)+)+x' }, header: { name: 'Subject', matches: '(a*)*b' } });
  const began = performance.now();
  for (let round = 0; round < 20; round += 1)
    assert.equal(slow.matches(call('1'.repeat(1_000), { headers: { subject: 'a'.repeat(1_000) } })), false);
  // A backtracking engine would need longer than the universe has.
  assert.ok(performance.now() - began < 5_000);
});

test('a header that is absent or too long to look at holds for nothing', () => {
  const any = route({ header: { name: 'X-Class', matches: '.*' } });
  assert.equal(any.matches(call('1')), false);
  assert.equal(any.matches(call('1', { headers: { 'x-class': 'a' } })), true);
  assert.equal(any.matches(call('1', { headers: { 'x-class': 'a'.repeat(2_000) } })), false);
});
