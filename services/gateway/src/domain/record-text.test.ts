import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallRecord } from '@sidestream/proto/records/v1';
import { shownRecord } from './record-text.js';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const record = CallRecord.fromJSON({
  version: 1,
  callId: 'c1',
  tenant: 'contoso',
  direction: 'DIRECTION_OUTBOUND',
  startedAt: at(0),
  answeredAt: at(5),
  endedAt: at(35),
  calling: { uri: 'sip:+493012345001@pbx', name: '' },
  called: { uri: 'sip:+4915112345678@carrier.example', name: 'Grace' },
  termination: { result: 'RESULT_SUCCESS', reason: 'hangup' },
  verdict: 'VERDICT_NOT_EXPECTED',
  recordings: [
    {
      recordingId: 'r1',
      attempts: [
        {
          recorder: 'eastus',
          acceptedAt: at(5),
          failure: { result: 'RESULT_UPSTREAM_ERROR', reason: 'recorder-lost' },
        },
        { recorder: 'westus' },
      ],
      startedAt: at(6),
      endedAt: at(16),
      gapMs: 7,
      termination: { result: 'RESULT_UPSTREAM_ERROR', reason: 'recorder-lost' },
    },
    {
      recordingId: 'r2',
      attempts: [{ recorder: 'westus', failure: { result: 'RESULT_UPSTREAM_ERROR', reason: 'recorder-refused' } }],
    },
  ],
});
const shown = (of: CallRecord, reveal = false) => JSON.parse(JSON.stringify(shownRecord(of, reveal)));

test('a record is told in words and durations, with the recorder that took each recording', () => {
  const { direction, durationMs, verdict, termination, recordings } = shown(record);
  assert.deepEqual([direction, durationMs, verdict], ['outbound', 30_000, 'not-expected']);
  assert.deepEqual(termination, { result: 'success', reason: 'hangup', detail: '' });
  assert.deepEqual(
    recordings.map((one: Record<string, unknown> & { termination: { reason: string } }) => [
      one['recorder'],
      one['durationMs'],
      one['gapMs'],
      one.termination.reason,
    ]),
    [
      ['eastus', 10_000, 7, 'recorder-lost'],
      ['westus', 0, 0, 'recorder-refused'],
    ],
  );
});

test('parties are masked unless they are to be revealed, also those who came by a transfer', () => {
  const to = { uri: 'sip:+4917099887766@carrier.example', name: '' };
  const moved = CallRecord.fromPartial({ ...record, transfers: [{ calling: record.calling ?? to, called: to }] });
  assert.ok(!JSON.stringify(shown(record)).includes('5112345678'));
  assert.ok(JSON.stringify(shown(record, true)).includes('+4915112345678'));
  assert.ok(!JSON.stringify(shown(moved)).includes('7099887766'));
  assert.equal(shown(moved, true).called.uri, to.uri);
});
