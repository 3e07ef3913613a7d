// Whether a call was recorded, and if not, why: in words. Pure.
import { type CallRecord, type RecordingRecord, Verdict } from '@sidestream/proto/records/v1';
import { isMediaConfirmed, type LostVoice, voicesLost } from '@sidestream/service';

/** One sentence. */
export function recordedOrNot(record: CallRecord): string {
  const { verdict, recordings, decision } = record;
  const last = recordings.at(-1);
  switch (verdict) {
    case Verdict.COMPLETE:
      return `recorded from start to end at ${recordersOf(recordings)}`;
    case Verdict.UNCONFIRMED: {
      const one = recordings.findLast(isUncounted) ?? last;
      return `recorded at ${recorderOf(one)}, as far as is known: ${unconfirmedOf(one)}`;
    }
    case Verdict.PARTIAL:
      return `recorded in part ${lacksOf(recordings)}`;
    case Verdict.MISSING:
      return `not recorded, although it should have been: ${failuresOf(recordings)}`;
    case Verdict.WAIVED:
      return `not recorded to the end: ${endOf(last) || 'an operator or a party wanted no media'}`;
    case Verdict.NOT_EXPECTED:
      return decision?.record === true
        ? 'not recorded: nobody answered the call'
        : `not recorded: ${decisionInWords(decision?.reason ?? '')}`;
    default:
      return 'nothing is known of its recording';
  }
}

/** Why the policy wanted none; a reason that is not known here is told as it is. */
function decisionInWords(reason: string): string {
  return reasons[reason] ?? `the policy decided so (${reason})`;
}

const reasons: Readonly<Record<string, string>> = {
  'tenant-disabled': 'recording is switched off for the tenant',
  'not-listed': 'the policy does not name the seller',
  'no-policy': 'there was no usable policy',
  'no-seller-identity':
    "the party on the seller's side has neither a number nor an address, so that the policy could not name it",
  'policy-stale': 'the policy was stale, and the tenant has nothing recorded then',
};

/** The one that took it last, or else was asked last. */
function recorderOf(recording: RecordingRecord | undefined): string {
  const { attempts = [] } = recording ?? {};
  const taken = attempts.findLast(({ acceptedAt }) => acceptedAt !== undefined) ?? attempts.at(-1);
  return taken?.recorder ?? 'a recorder';
}

/** Of the recordings that lack nothing. */
function recordersOf(recordings: readonly RecordingRecord[]): string {
  const whole = recordings.filter((recording) => lackOf(recording) === '');
  return [...new Set((whole.length > 0 ? whole : recordings.slice(-1)).map(recorderOf))].join(' and ');
}

/** `at eastus: 600.0 s are missing`, for each recording that lacks something. */
function lacksOf(recordings: readonly RecordingRecord[]): string {
  const lacks = recordings.flatMap((recording) => {
    const lack = lackOf(recording);
    return lack === '' ? [] : [`at ${recorderOf(recording)}: ${lack}`];
  });
  const untold = 'for some seconds it was not recorded, as was told while the call lived';
  return lacks.join(', and ') || `at ${recorderOf(recordings.at(-1))}: ${untold}`;
}

/** Empty where nothing is missing until the call's end. */
function lackOf(recording: RecordingRecord): string {
  const { startedAt, gapMs } = recording;
  const nothing = startedAt === undefined ? 'nothing was recorded' : '';
  const gap = gapMs > 0 ? `${(gapMs / 1_000).toFixed(1)} s are missing` : '';
  return [nothing, gap, ...voicesLost(recording).map(voiceInWords), endOf(recording)]
    .filter((part) => part !== '')
    .join('; ');
}

/** Whether it began, and it is not known what left. */
function isUncounted(recording: RecordingRecord): boolean {
  const counted = recording.copied.length > 0 && isMediaConfirmed(recording);
  return recording.startedAt !== undefined && !counted;
}

function unconfirmedOf(recording: RecordingRecord | undefined): string {
  return recording === undefined || recording.copied.length === 0
    ? 'the relay could not be asked what it has copied'
    : 'nobody spoke, and no packet was copied';
}

/** `nothing of the seller's voice was copied (0 of 1,498 packets)` */
function voiceInWords({ party, due, copied }: LostVoice): string {
  const [all, left] = [due, copied].map((packets) => packets.toLocaleString('en'));
  const what = copied === 0 ? `nothing of the ${party}'s voice` : `not all of the ${party}'s voice`;
  return `${what} was copied (${left} of ${all} packets)`;
}

/** Why it ended, unless the call's end was the reason. */
function endOf(recording: RecordingRecord | undefined): string {
  const { reason = '', detail = '' } = recording?.termination ?? {};
  if (reason === '' || reason === 'call-ended') return '';
  return detail === '' ? `it ended by ${reason}` : `it ended by ${reason} (${detail})`;
}

function failuresOf(recordings: readonly RecordingRecord[]): string {
  const failures = recordings.flatMap(({ attempts }) =>
    attempts.flatMap(({ recorder, failure }) =>
      failure === undefined
        ? []
        : [`${recorder}: ${failure.reason}${failure.detail === '' ? '' : ` (${failure.detail})`}`],
    ),
  );
  const voices = recordings.flatMap((recording) => voicesLost(recording).map(voiceInWords));
  return [...new Set([...failures, ...voices])].join('; ') || endOf(recordings.at(-1)) || 'no recording began';
}
