// How a call or a recording ended: exactly one {result, reason, detail} each, the same in event, metric label and log.
// The reasons are this closed list and the error codes of @sidestream/service; nothing else becomes a label.
import { Result } from '@sidestream/proto/events/v1';
import { type ErrorCode, errorTable, SidestreamError } from '@sidestream/service';

/** Reasons that are no error of ours, with what they mean for the result. */
const reasonTable = {
  // Both.
  hangup: Result.SUCCESS,
  drained: Result.SERVER_ERROR,
  // An operator, or a program that acts for one, ended just this one: as it was wanted.
  'ended-by-operator': Result.SUCCESS,
  // The operator limits how long calls last: as it was wanted.
  'max-duration': Result.SUCCESS,
  // A party preferred not to be recorded, and the tenant honours that.
  'declined-by-party': Result.SUCCESS,
  // A transfer has brought a seller whom the policy does not name.
  'seller-not-listed': Result.SUCCESS,
  // The parties of this call go on in another one.
  transferred: Result.SUCCESS,
  // Calls: what the caller or callee did.
  busy: Result.CLIENT_ERROR,
  declined: Result.CLIENT_ERROR,
  'no-answer': Result.CLIENT_ERROR,
  'unknown-number': Result.CLIENT_ERROR,
  'no-ack': Result.CLIENT_ERROR,
  'session-expired': Result.CLIENT_ERROR,
  'loop-detected': Result.CLIENT_ERROR,
  // Calls: what stands behind us.
  'far-side-failed': Result.UPSTREAM_ERROR,
  'far-side-unreachable': Result.UPSTREAM_ERROR,
  'media-lost': Result.UPSTREAM_ERROR,
  /** Neither party was heard any more. */
  'media-timeout': Result.CLIENT_ERROR,
  'edge-lost': Result.SERVER_ERROR,
  // Recordings.
  'call-ended': Result.SUCCESS,
  'call-ended-before-start': Result.CLIENT_ERROR,
  'recorder-hangup': Result.UPSTREAM_ERROR,
  'recorder-lost': Result.UPSTREAM_ERROR,
  /** It has accepted the recording and never wanted media. */
  'recorder-inactive': Result.UPSTREAM_ERROR,
  'recording-required': Result.UPSTREAM_ERROR,
} as const satisfies Record<string, Result>;

export type TerminationReason = keyof typeof reasonTable | ErrorCode;

export interface Termination {
  readonly result: Result;
  readonly reason: TerminationReason;
  readonly detail: string;
}

/** Every reason there is: for tests and for dashboards that want all labels from the start. */
export const terminationReasons: readonly TerminationReason[] = [
  ...(Object.keys(reasonTable) as (keyof typeof reasonTable)[]),
  ...(Object.keys(errorTable) as ErrorCode[]),
];

export function terminated(reason: TerminationReason, detail = ''): Termination {
  const result =
    reason in reasonTable ? reasonTable[reason as keyof typeof reasonTable] : errorTable[reason as ErrorCode].result;
  return { result, reason, detail };
}

/** What an error of our own or of a service behind us ends with. */
export function terminationOf(error: unknown): Termination {
  const known = SidestreamError.from(error);
  return terminated(known.code, known.message);
}

/** What the far side's final failure means (RFC 3261 §21). `rang`: a provisional response had come before. */
export function terminationOfRefusal(status: number, reasonPhrase: string, rang: boolean): Termination {
  return terminated(reasonOfRefusal(status, rang), `far side answered ${status} ${reasonPhrase}`.trimEnd());
}

function reasonOfRefusal(status: number, rang: boolean): TerminationReason {
  switch (status) {
    case 486:
    case 600:
      return 'busy';
    case 403:
    case 433:
    case 603:
    case 607:
      return 'declined';
    case 408:
      return rang ? 'no-answer' : 'far-side-unreachable';
    case 480:
    case 487:
      return 'no-answer';
    case 404:
    case 410:
    case 484:
    case 485:
    case 604:
      return 'unknown-number';
    case 415:
    case 488:
    case 606:
      return 'not-acceptable-here';
    case 482:
    case 483:
      return 'loop-detected';
    case 503:
    case 504:
      return 'far-side-unreachable';
    default:
      return 'far-side-failed';
  }
}

/**
 * The status that the near side hears for the far side's one. A challenge or a redirection is meant for us, not for the caller, and
 * says nothing without the headers that we do not relay: 502. Everything else is relayed as it is.
 */
export function relayedStatus(status: number): number {
  return (status >= 300 && status < 400) || status === 401 || status === 407 ? 502 : status;
}

/** A party within a call has refused what we have asked of it. */
export class PartyRefusal extends SidestreamError {
  readonly status: number;

  /** @param status its response */
  constructor(status: number, who: string) {
    super('media-refused', `${who} answered ${status}`);
    this.status = status;
  }
}

/** SIP status for an error of our own, or for a party's refusal. */
export function statusOf(error: unknown): number {
  if (error instanceof PartyRefusal) return relayedStatus(error.status);
  return errorTable[SidestreamError.from(error).code].sip;
}

/** Metric label of a result: 'success', 'client_error' … */
export function resultLabel(result: Result): string {
  return result.replace(/^RESULT_/, '').toLowerCase();
}
