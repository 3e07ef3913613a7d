import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallRecord, Verdict } from '@sidestream/proto/records/v1';
import { dayFigures } from './recording-figures.js';

async function* records(...verdicts: Verdict[]): AsyncGenerator<CallRecord> {
  for (const verdict of verdicts)
    yield { ...CallRecord.fromPartial({ tenant: 'contoso' }), verdict, callId: `call-${verdict}` };
}

test('each call that burns the budget of recordings is named with why, an unconfirmed one too', async () => {
  const { COMPLETE, PARTIAL, UNCONFIRMED, MISSING, WAIVED, NOT_EXPECTED } = Verdict;
  const [of] = await dayFigures(records(COMPLETE, PARTIAL, UNCONFIRMED, MISSING, WAIVED, NOT_EXPECTED));
  assert.deepEqual([of?.calls, of?.expected, of?.complete, of?.waived], [6, 4, 1, 1]);
  assert.deepEqual(
    of?.faults.map(({ callId }) => callId),
    [PARTIAL, UNCONFIRMED, MISSING].map((verdict) => `call-${verdict}`),
  );
  for (const { why } of of?.faults ?? []) assert.match(why, /recorded/);
});
