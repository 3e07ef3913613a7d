import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peaksOf } from './recorded-voices.js';

test('each stretch of time has its loudest sample, up or down', () => {
  assert.deepEqual(peaksOf(Int16Array.of(0, 16_384, -32_768, 5, 0, 0), 3), [0.5, 1, 0]);
});

test('less sound than stretches, and none at all', () => {
  assert.deepEqual(peaksOf(Int16Array.of(-16_384), 2), [0, 0.5]);
  assert.deepEqual(peaksOf(new Int16Array(), 2), [0, 0]);
});
