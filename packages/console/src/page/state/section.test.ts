import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../api/api-error.js';
import { Section } from './section.js';

const rests = { restMs: 1, faultRestMs: 1 };

test('what changes during a read is read once more, however often it is told', async () => {
  const answers: ((value: number) => void)[] = [];
  const section = new Section(
    () => new Promise<number>((resolve) => answers.push(resolve)),
    () => {},
    rests,
  );
  const first = section.refresh();
  const others = [section.refresh(), section.refresh(), section.refresh()];
  answers[0]?.(1);
  while (answers.length < 2) await new Promise((resolve) => setImmediate(resolve));
  answers[1]?.(2);
  await Promise.all([first, ...others]);
  assert.equal(section.state.value.value, 2);
  assert.equal(answers.length, 2);
});

test('a failed read keeps what was shown and says why; the next good one clears it', async () => {
  const results: (number | ApiError)[] = [7, new ApiError('unavailable', 'Busy.'), 8];
  const told: string[] = [];
  const section = new Section(
    async () => {
      const result = results.shift();
      if (result === undefined || result instanceof ApiError) throw result;
      return result;
    },
    ({ code }) => told.push(code),
    rests,
  );
  await section.refresh();
  const { readAt } = section.state.value;
  await section.refresh();
  assert.deepEqual([section.state.value.value, section.state.value.error?.message], [7, 'Busy.']);
  assert.equal(section.state.value.readAt, readAt);
  await section.refresh();
  assert.deepEqual([section.state.value.value, section.state.value.error, told], [8, undefined, ['unavailable']]);
});
