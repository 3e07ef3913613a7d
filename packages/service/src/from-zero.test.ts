import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Registry } from 'prom-client';
import { fromZero } from './from-zero.js';

test('every combination of the labels is there at 0, and what was counted stays', async () => {
  const registry = new Registry();
  const counter = new Counter({
    name: 'faults',
    help: 'of a test',
    labelNames: ['tenant', 'reason'],
    registers: [registry],
  });
  counter.inc({ tenant: 'a', reason: 'x' }, 2);
  fromZero(counter, { tenant: ['a', 'b'], reason: ['x', 'y'] });
  const { values } = await counter.get();
  assert.deepEqual(values.map(({ labels, value }) => `${labels.tenant} ${labels.reason} ${value}`).sort(), [
    'a x 2',
    'a y 0',
    'b x 0',
    'b y 0',
  ]);
});
