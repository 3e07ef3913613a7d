// How records of calls are shown to people, and as CSV. Pure.
import { Direction } from '@sidestream/proto/events/v1';
import type { CallRecord, PartyPackets, RecordingRecord, Stretch } from '@sidestream/proto/records/v1';
import Table from 'cli-table3';
import { recordedOrNot } from './recorded-or-not.js';

export function recordsTable(records: readonly CallRecord[]): string {
  const table = new Table({
    head: ['call', 'ended', 'tenant', 'for', 'direction', 'calling', 'called', 'ended by', 'recording'],
    style: { head: [], border: [] },
  });
  for (const record of records) {
    const { callId, endedAt, tenant, calling, called, termination } = record;
    table.push([
      callId,
      timeOf(endedAt),
      tenant,
      lasted(record),
      directionOf(record),
      calling?.uri ?? '',
      called?.uri ?? '',
      termination?.reason ?? '',
      verdictOf(record),
    ]);
  }
  return table.toString();
}

export function describeRecord(record: CallRecord): string {
  const { callId, instance, tenant, calling, called, seller, decision, termination, legs, transfers } = record;
  const revision = decision?.policyRevision ? ` (policy ${decision.policyRevision})` : '';
  const rows: (readonly [string, string])[] = [
    ['at', instance],
    ['tenant', tenant],
    ['direction', directionOf(record)],
    ['started', timeOf(record.startedAt)],
    ['ringing', timeOf(record.ringingAt)],
    ['answered', timeOf(record.answeredAt)],
    ['ended', `${timeOf(record.endedAt)}: ${[termination?.reason, termination?.detail].filter(Boolean).join(', ')}`],
    ['calling', [calling?.name, calling?.uri].filter(Boolean).join(' ')],
    ['called', [called?.name, called?.uri].filter(Boolean).join(' ')],
    ['seller', seller],
    [
      'decision',
      decision === undefined ? '' : `${decision.record ? 'record' : 'do not record'}: ${decision.reason}${revision}`,
    ],
    ...legs.map(
      ({ trunk, peer, sipCallId, sipStatus }) =>
        [
          'leg',
          [`${trunk} ${peer}`, sipStatus || '', sipCallId && `Call-ID ${sipCallId}`].filter(Boolean).join(' '),
        ] as const,
    ),
    ...transfers.map(({ at, party, called: to }) => ['transfer', `${timeOf(at)} ${party}: ${to?.uri ?? ''}`] as const),
    ['received', packetsOf(record.received)],
    ['verdict', recordedOrNot(record)],
  ];
  const lines = rows.flatMap(([name, value]) => (value === '' ? [] : [`  ${name.padEnd(11)}${value}`]));
  return [callId, ...lines, ...record.recordings.flatMap(describeRecording)].join('\n');
}

function describeRecording(recording: RecordingRecord): string[] {
  const { recordingId, recorderCallId, attempts, copied, due, pauses, gaps, startedAt, endedAt, termination } =
    recording;
  return [
    `  recording  ${recordingId}, Call-ID ${recorderCallId}`,
    ...attempts.map(({ recorder, invitedAt, acceptedAt, mediaConfirmedAt, failure }) => {
      const took = acceptedAt === undefined ? '' : `, accepted ${timeOf(acceptedAt)}`;
      const media = mediaConfirmedAt === undefined ? '' : `, media seen ${timeOf(mediaConfirmedAt)}`;
      const failed = failure === undefined ? '' : `, given up: ${failure.reason} ${failure.detail}`.trimEnd();
      return `    asked    ${timeOf(invitedAt)} ${recorder}${took}${media}${failed}`;
    }),
    `    flowed   ${timeOf(startedAt) || 'never'} to ${timeOf(endedAt)}: ${termination?.reason ?? ''}`,
    ...(copied.length === 0 ? [] : [`    copied   ${packetsOf(copied, due)}`]),
    ...pauses.map((stretch) => `    paused   ${stretchOf(stretch)}`),
    ...gaps.map((stretch) => `    missing  ${stretchOf(stretch)}`),
  ];
}

/** `customer 1,520, seller 0 of 1,498 packets`; empty where nobody could count. @param of those that there should be */
function packetsOf(counts: readonly PartyPackets[], of: readonly PartyPackets[] = []): string {
  if (counts.length === 0) return '';
  const each = counts.map(({ party, packets }) => {
    const all = of.find((one) => one.party === party)?.packets ?? packets;
    const rest = all === packets ? '' : ` of ${all.toLocaleString('en')}`;
    return `${party} ${packets.toLocaleString('en')}${rest}`;
  });
  return `${each.join(', ')} packets`;
}

function stretchOf({ beganAt, endedAt, reason }: Stretch): string {
  return `${timeOf(beganAt)} to ${timeOf(endedAt) || 'the end'}: ${reason}`;
}

const columns: readonly (readonly [string, (record: CallRecord) => string | number])[] = [
  ['callId', ({ callId }) => callId],
  ['tenant', ({ tenant }) => tenant],
  ['instance', ({ instance }) => instance],
  ['direction', directionOf],
  ['startedAt', ({ startedAt }) => timeOf(startedAt)],
  ['answeredAt', ({ answeredAt }) => timeOf(answeredAt)],
  ['endedAt', ({ endedAt }) => timeOf(endedAt)],
  ['calling', ({ calling }) => calling?.uri ?? ''],
  ['called', ({ called }) => called?.uri ?? ''],
  ['seller', ({ seller }) => seller],
  ['termination', ({ termination }) => termination?.reason ?? ''],
  ['record', ({ decision }) => String(decision?.record ?? false)],
  ['decision', ({ decision }) => decision?.reason ?? ''],
  ['policyRevision', ({ decision }) => decision?.policyRevision ?? ''],
  ['recorderCallIds', ({ recordings }) => recordings.map(({ recorderCallId }) => recorderCallId).join(' ')],
  ['gapMs', ({ recordings }) => recordings.reduce((sum, { gapMs }) => sum + gapMs, 0)],
  ['verdict', verdictOf],
  ['recorded', recordedOrNot],
];

export const csvHead = columns.map(([name]) => name).join(',');

/** RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe. */
export function csvLine(record: CallRecord): string {
  return columns
    .map(([, value]) => {
      const cell = String(value(record)).replace(/^[=+\-@\t\r]/, "'$&");
      return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
    })
    .join(',');
}

function verdictOf({ verdict }: CallRecord): string {
  return verdict
    .replace(/^VERDICT_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

function directionOf({ direction }: CallRecord): string {
  return direction === Direction.OUTBOUND ? 'outbound' : 'inbound';
}

function timeOf(time: Date | undefined): string {
  return time?.toISOString() ?? '';
}

function lasted({ answeredAt, endedAt }: CallRecord): string {
  if (answeredAt === undefined || endedAt === undefined) return '';
  return `${Math.round((endedAt.getTime() - answeredAt.getTime()) / 1_000)} s`;
}
