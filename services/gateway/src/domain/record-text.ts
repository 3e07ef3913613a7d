// How records of calls that are over are shown to operators: words instead of the wire's enumerations, parties masked unless they are asked for.
import { Direction, Result, type Termination } from '@sidestream/proto/events/v1';
import type { CallRecord, RecordingRecord } from '@sidestream/proto/records/v1';
import { shownParty } from './call-text.js';

const words: Readonly<Record<Result, string>> = {
  [Result.SUCCESS]: 'success',
  [Result.CLIENT_ERROR]: 'client-error',
  [Result.SERVER_ERROR]: 'server-error',
  [Result.UPSTREAM_ERROR]: 'upstream-error',
  [Result.INDETERMINATE]: 'indeterminate',
  [Result.UNSPECIFIED]: 'indeterminate',
  [Result.UNRECOGNIZED]: 'indeterminate',
};
const nobody = { uri: '', name: '' };

/** What the API shows of it; dates become ISO texts in JSON. The parties are those who were in the call last. */
export function shownRecord(record: CallRecord, reveal: boolean): object {
  const { callId, tenant, seller, startedAt, answeredAt, endedAt, transfers, decision, termination } = record;
  const parties = transfers.at(-1) ?? record;
  return {
    callId,
    tenant,
    seller,
    direction: record.direction === Direction.OUTBOUND ? 'outbound' : 'inbound',
    startedAt,
    answeredAt,
    endedAt,
    durationMs: between(answeredAt, endedAt),
    calling: shownParty(parties.calling ?? nobody, reveal),
    called: shownParty(parties.called ?? nobody, reveal),
    decision: transfers.findLast((one) => one.decision !== undefined)?.decision ?? decision,
    verdict: record.verdict
      .replace(/^VERDICT_/, '')
      .toLowerCase()
      .replaceAll('_', '-'),
    termination: shownTermination(termination),
    recordings: record.recordings.map(shownRecording),
  };
}

/** Its recorder is the last that took it, else the last that was asked. */
function shownRecording({ recordingId, attempts, startedAt, endedAt, gapMs, termination }: RecordingRecord): object {
  const attempt = attempts.findLast(({ acceptedAt }) => acceptedAt !== undefined) ?? attempts.at(-1);
  const last = termination ?? attempts.at(-1)?.failure;
  return {
    recordingId,
    recorder: attempt?.recorder ?? '',
    durationMs: between(startedAt, endedAt),
    gapMs,
    termination: shownTermination(last),
  };
}

function between(since: Date | undefined, until: Date | undefined): number {
  return since === undefined || until === undefined ? 0 : Math.max(0, until.getTime() - since.getTime());
}

function shownTermination(termination: Termination | undefined): object | undefined {
  return termination && { ...termination, result: words[termination.result] };
}
