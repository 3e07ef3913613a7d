// What two user agents agree on about a session timer: RFC 4028 §7 (the client) and §9 (the server). Pure.
import { hasOptionTag } from '../message/option-tags.js';
import type { SipRequest, SipResponse } from '../message/sip-message.js';
import { minSeIn, minSessionSeconds, type SessionExpires, sessionExpiresIn } from './session-expires.js';

/** A session timer as one side has it. */
export interface SessionTimer {
  readonly seconds: number;
  /** Whether we send the refreshes. */
  readonly weRefresh: boolean;
}

/** What our 2xx to a session refresh request says. */
export interface SessionAnswer {
  readonly timer: SessionTimer;
  readonly sessionExpires: SessionExpires;
  /** Whether the 2xx must have `Require: timer` (§9). */
  readonly requireTimer: boolean;
}

/**
 * Whether an INVITE or UPDATE is to be answered 422 with our `Min-SE`, §9: its interval is too small, and its sender would
 * understand the answer. @throws SipError `malformed`
 */
export function isSessionTooSmall(request: SipRequest, minSeconds: number = minSessionSeconds): boolean {
  const asked = sessionExpiresIn(request);
  return asked !== undefined && asked.seconds < minSeconds && supportsTimer(request, asked);
}

/**
 * The session timer that our 2xx to an INVITE or UPDATE agrees to; undefined means that there is none.
 *
 * @param wish what the user of this server wants in the answer; the bounds of the request are kept nevertheless.
 * @param running the timer of the dialog: a request that asks for none, of a peer that supports it, leaves it on.
 * @throws SipError `malformed`
 */
export function answerSession(
  request: SipRequest,
  wish: SessionExpires | undefined,
  running: SessionTimer | undefined,
): SessionAnswer | undefined {
  const asked = sessionExpiresIn(request);
  const supported = supportsTimer(request, asked);
  const current: SessionExpires | undefined = running && {
    seconds: running.seconds,
    refresher: running.weRefresh ? 'uas' : 'uac',
  };
  if (asked === undefined) return answerWish(request, wish ?? (supported ? current : undefined), supported);
  // A client that doesn't support the timer can't be refused with 422, and the value may not be raised.
  if (asked.seconds < minSessionSeconds) return undefined;
  const least = Math.min(asked.seconds, minSeIn(request));
  const seconds = Math.max(least, Math.min(asked.seconds, wish?.seconds ?? asked.seconds));
  // Table 2: the client's choice stands; a client without support leaves the refreshes to the server.
  const refresher = supported ? (asked.refresher ?? wish?.refresher ?? 'uac') : 'uas';
  return answerWith({ seconds, refresher }, supported);
}

/**
 * The session timer that a 2xx to our INVITE or UPDATE has set, §7.2; undefined means that there is none, or no longer.
 * @throws SipError `malformed`
 */
export function sessionAgreed(response: SipResponse): SessionTimer | undefined {
  const given = sessionExpiresIn(response);
  if (given === undefined) return undefined;
  // A refresher is mandatory; where it is missing the session lives on if we refresh it.
  return { seconds: Math.max(minSessionSeconds, given.seconds), weRefresh: given.refresher !== 'uas' };
}

/**
 * Session-Expires for a request of ours in a dialog with a session timer, §7.4: at least the largest Min-SE heard in the
 * dialog, and the roles stay as they are.
 */
export function sessionInRequest({ seconds, weRefresh }: SessionTimer, largestMinSe: number): SessionExpires {
  return { seconds: Math.max(seconds, largestMinSe), refresher: weRefresh ? 'uac' : 'uas' };
}

/** The server asks for a timer of its own accord: it may, in the bounds of Min-SE. */
function answerWish(
  request: SipRequest,
  wish: SessionExpires | undefined,
  supported: boolean,
): SessionAnswer | undefined {
  if (wish === undefined) return undefined;
  return answerWith(
    { seconds: Math.max(minSeIn(request), wish.seconds), refresher: supported ? (wish.refresher ?? 'uas') : 'uas' },
    supported,
  );
}

function answerWith(sessionExpires: Required<SessionExpires>, supported: boolean): SessionAnswer {
  const { seconds, refresher } = sessionExpires;
  return {
    timer: { seconds, weRefresh: refresher === 'uas' },
    sessionExpires,
    // §9: MUST where the client refreshes, SHOULD where it supports the timer.
    requireTimer: refresher === 'uac' || supported,
  };
}

/** Who names a refresher knows the extension, whether or not Supported says so. */
function supportsTimer(request: SipRequest, asked: SessionExpires | undefined): boolean {
  return hasOptionTag(request, 'Supported', 'timer') || asked?.refresher !== undefined;
}
