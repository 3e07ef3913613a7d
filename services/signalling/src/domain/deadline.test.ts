import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import { within } from './deadline.js';

test('a deadline that passes aborts with what the error table calls deadline-exceeded', async () => {
  const keepsTheProcess = setTimeout(() => undefined, 5_000);
  const signal = within(new AbortController().signal, 5);
  await once(signal, 'abort');
  clearTimeout(keepsTheProcess);
  assert.equal(SidestreamError.from(signal.reason).code, 'deadline-exceeded');
});

test('what aborts first is the reason: the parent, also one that has aborted before', () => {
  const parent = new AbortController();
  const signal = within(parent.signal, 60_000);
  parent.abort(new SidestreamError('cancelled', 'enough'));
  for (const one of [signal, within(parent.signal, 60_000)]) {
    assert.equal(one.aborted, true);
    assert.equal(SidestreamError.from(one.reason).message, 'enough');
  }
});
