// What became of a day's calls, by tenant, from their records. Pure.
import { type CallRecord, Verdict } from '@sidestream/proto/records/v1';
import { isMediaConfirmed } from '@sidestream/service';
import Table from 'cli-table3';
import { recordedOrNot } from './recorded-or-not.js';

export interface TenantFigures {
  readonly tenant: string;
  /** All that ended. */
  calls: number;
  /** Those that should have been recorded: answered, named by the policy, not waived. */
  expected: number;
  /** Of the expected ones: media flowed to a recorder. */
  started: number;
  /** Of the expected ones: the relay has seen media leave, or counted it at the end. */
  mediaConfirmed: number;
  /** Of the expected ones: from start to end, without a gap. */
  complete: number;
  partial: number;
  unconfirmed: number;
  missing: number;
  waived: number;
  gapSeconds: number;
  /** The first of the expected ones that are not complete, as the budget of recordings counts them, each with why. */
  readonly faults: { readonly callId: string; readonly why: string }[];
}

const maxFaults = 100;

/** By tenant, in alphabetical order. */
export async function dayFigures(records: AsyncIterable<CallRecord>): Promise<TenantFigures[]> {
  const figures = new Map<string, TenantFigures>();
  for await (const record of records) {
    const of = figures.get(record.tenant) ?? none(record.tenant);
    figures.set(record.tenant, of);
    count(of, record);
  }
  return [...figures.values()].sort((one, other) => one.tenant.localeCompare(other.tenant));
}

function count(of: TenantFigures, record: CallRecord): void {
  const { verdict, recordings, callId } = record;
  of.calls += 1;
  of.gapSeconds += recordings.reduce((sum, { gapMs }) => sum + gapMs, 0) / 1_000;
  if (verdict === Verdict.WAIVED) of.waived += 1;
  if (verdict === Verdict.WAIVED || verdict === Verdict.NOT_EXPECTED) return;
  of.expected += 1;
  if (recordings.some(({ startedAt }) => startedAt !== undefined)) of.started += 1;
  if (recordings.some(isMediaConfirmed)) of.mediaConfirmed += 1;
  if (verdict === Verdict.COMPLETE) of.complete += 1;
  if (verdict === Verdict.UNCONFIRMED) of.unconfirmed += 1;
  if (verdict === Verdict.PARTIAL) of.partial += 1;
  if (verdict === Verdict.MISSING) of.missing += 1;
  if (verdict !== Verdict.COMPLETE && of.faults.length < maxFaults)
    of.faults.push({ callId, why: recordedOrNot(record) });
}

function none(tenant: string): TenantFigures {
  const zero = { calls: 0, expected: 0, started: 0, mediaConfirmed: 0, complete: 0 };
  return { tenant, ...zero, partial: 0, unconfirmed: 0, missing: 0, waived: 0, gapSeconds: 0, faults: [] };
}

export function figuresTable(figures: readonly TenantFigures[]): string {
  const head = ['tenant', 'calls', 'expected', 'started', 'media confirmed', 'complete'];
  const table = new Table({
    head: [...head, 'partial', 'unconfirmed', 'missing', 'waived', 'gaps'],
    style: { head: [], border: [] },
  });
  for (const of of figures)
    table.push([
      of.tenant,
      of.calls,
      of.expected,
      of.started,
      of.mediaConfirmed,
      of.complete,
      of.partial,
      of.unconfirmed,
      of.missing,
      of.waived,
      `${of.gapSeconds.toFixed(1)} s`,
    ]);
  const faults = figures.flatMap((of) => of.faults.map(({ callId, why }) => `${callId}  ${why}`));
  return [table.toString(), ...faults].join('\n');
}
