// Giving back everything a call holds: once, in parallel, each with a deadline, including what a step still in flight brings late.
import type { Logger } from '@sidestream/service';
import { explained, unavailableHeaders } from './admission.js';
import type { CallRelease } from './call-state.js';
import { raced, settled, within } from './deadline.js';
import type { MediaCounts } from './media-counts.js';
import type { IncomingInvite, Leg, MediaSession } from './ports.js';
import type { Termination, TerminationReason } from './termination.js';

type Hanging = Pick<Leg, 'bye'>;

/** What there may be to give back; read anew after the steps in flight have settled. */
export interface CallHoldings {
  readonly near: Hanging | undefined;
  readonly far: Hanging | undefined;
  readonly media: MediaSession | undefined;
}

export interface CallReleaseOptions {
  readonly invite: IncomingInvite;
  readonly holdings: () => CallHoldings;
  readonly inFlight: readonly Promise<unknown>[];
  /** Ends the recordings that have begun, told why the call ended. */
  readonly stopRecordings: (why: string) => readonly Promise<void>[];
  readonly onMedia: (counts: MediaCounts) => void;
  readonly log: Logger;
}

/** Ends that say nothing against the call itself: another try may do. */
const unavailable: readonly TerminationReason[] = ['drained', 'recording-required'];
/** Bound of each thing that is given back. */
const releaseDeadlineMs = 5_000;

/** Never rejects: what cannot be given back in time is logged, and ends at its owner by time-out. */
export async function releaseCall(release: CallRelease, options: CallReleaseOptions): Promise<void> {
  const { invite, holdings, inFlight, stopRecordings, log } = options;
  const closeMedia = (media: MediaSession) => mediaClosed(media, options);
  const first = holdings();
  const ends: (Promise<void> | undefined)[] = [];
  const bye = (leg: Hanging | undefined) => ends.push(leg && sayBye(leg, release.termination, log));

  if (release.near === 'bye') bye(first.near);
  if (release.near === 'refuse') ends.push(invite.refuse(release.status, refusalHeaders(release)));
  if (release.far === 'bye') bye(first.far);
  ends.push(...stopRecordings(release.termination.reason), first.media && closeMedia(first.media));

  await settled(inFlight, releaseDeadlineMs);
  const late = holdings();
  // A 200 that crossed our refusal, or the caller's CANCEL, has made a dialog: it gets BYE (RFC 3261 §15).
  if (late.near !== first.near || release.near === 'refuse') bye(late.near);
  if (late.far !== first.far || release.far === 'cancel') bye(late.far);
  if (late.media !== first.media) ends.push(late.media && closeMedia(late.media));
  const clean = await settled(
    ends.filter((end) => end !== undefined),
    releaseDeadlineMs + 1_000,
  );
  if (!clean) log.error({ termination: release.termination }, 'something of the call could not be given back in time');
}

function refusalHeaders({ status, explain, termination }: CallRelease): Record<string, string> {
  if (!explain) return {};
  const text = termination.detail === '' ? termination.reason : termination.detail;
  return status === 503 ? unavailableHeaders(text) : explained(status, text);
}

async function sayBye(leg: Hanging, termination: Termination, log: Logger): Promise<void> {
  const header = reasonFor(termination);
  const signal = within(undefined, releaseDeadlineMs);
  try {
    await raced(leg.bye(header, signal), signal);
  } catch (error) {
    log.warn({ err: error }, 'BYE had no answer');
  }
}

/** RFC 3326: the other side is told why, unless a party has ended the call, or given it up, as parties do. */
export function reasonFor({ reason, detail }: Termination): string | undefined {
  switch (reason) {
    case 'hangup':
    case 'cancelled':
    case 'transferred':
      return undefined;
    case 'ended-by-operator':
    case 'max-duration':
      return explained(480, detail)['Reason'];
    default:
      return explained(unavailable.includes(reason) ? 503 : 500, reason)['Reason'];
  }
}

async function mediaClosed(media: MediaSession, { onMedia, log }: CallReleaseOptions): Promise<void> {
  const signal = within(undefined, releaseDeadlineMs);
  try {
    onMedia(await raced(media.close(signal), signal));
  } catch (error) {
    log.error(
      { err: error, relay: media.relay },
      'the media session could not be closed; the engine ends it by time-out',
    );
  }
}
