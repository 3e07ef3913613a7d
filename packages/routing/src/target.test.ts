import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inOrder, readTarget } from './target.js';

const target = fc
  .record({ priority: fc.nat({ max: 5 }), weight: fc.nat({ max: 100 }), host: fc.nat() })
  .map(({ priority, weight, host }) => readTarget({ uri: `sip:h${host}`, priority, weight }, 'udp'));

test('whatever is drawn, every target comes once and a lower priority comes before a higher one', () => {
  const draws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(target, { maxLength: 12 }), draws, (targets, drawn) => {
      let next = 0;
      const ordered = inOrder(targets, () => drawn[next++ % drawn.length] ?? 0);
      assert.deepEqual(new Set(ordered), new Set(targets));
      assert.equal(ordered.length, targets.length);
      const priorities = ordered.map(({ priority }) => priority);
      assert.deepEqual(
        priorities,
        [...priorities].sort((a, b) => a - b),
      );
    }),
  );
});

test('RFC 2782: equals share the calls by their weights, and one of weight 0 has a small chance', () => {
  const targets = [0, 1, 3].map((weight) => readTarget({ uri: `sip:w${weight}`, priority: 1, weight }, 'udp'));
  const first = new Map<string, number>();
  // Every number that can be drawn, as often as any other.
  const draws = 5_000;
  for (let draw = 0; draw < draws; draw += 1) {
    const [chosen] = inOrder(targets, () => draw / draws);
    first.set(chosen?.hostPort ?? '', (first.get(chosen?.hostPort ?? '') ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(first), { w0: 1_000, w1: 1_000, w3: 3_000 });
});
