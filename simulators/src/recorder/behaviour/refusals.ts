/** Recorders that refuse, wait or say nothing at all. */
import { setTimeout as delay } from 'node:timers/promises';
import { type SipRequest, sessionExpiresIn, tagOf } from '@sidestream/sip';
import type { Behaviour, Decision } from './behaviour.js';

/** Header lines without which a refusal is malformed or says nothing (RFC 3261 §8.1.3.4, §22.1, §21.4.15). */
const usualHeaders: ReadonlyMap<number, readonly (readonly [string, string])[]> = new Map([
  [302, [['Contact', '<sips:SRS@elsewhere.invalid>']]],
  [401, [['WWW-Authenticate', 'Digest realm="recorder", nonce="0123456789abcdef", algorithm=MD5, qop="auth"']]],
  [420, [['Unsupported', 'siprec']]],
  [488, [['Warning', '304 recorder.invalid "Media type not available"']]],
]);

/** Whether a request is one within a dialog. */
export function isInDialog(request: SipRequest): boolean {
  return tagOf(request.to) !== undefined;
}

/** Refuses initial INVITEs with this status, 300 to 699. */
export function rejectWith(
  status: number,
  reason?: string,
  headers: readonly (readonly [string, string])[] = usualHeaders.get(status) ?? [],
): Behaviour {
  const decision: Decision = { status, headers, ...(reason === undefined ? {} : { reason }) };
  return { beforeAnswer: async ({ initial }) => (initial ? decision : undefined) };
}

/** Refuses so many initial INVITEs with this status and takes those that come after. */
export function refuseAtFirst(times: number, status = 503): Behaviour {
  let left = times;
  const decision: Decision = { status };
  return { beforeAnswer: async ({ initial }) => (initial && left-- > 0 ? decision : undefined) };
}

/** Is busy and says for how long: 503 with Retry-After. */
export function overloaded(retryAfterSeconds: number): Behaviour {
  return rejectWith(503, undefined, [['Retry-After', String(retryAfterSeconds)]]);
}

/** Answers an initial INVITE with nothing at all, not even 100. */
export function staySilent(): Behaviour {
  const deaf = new Set(['INVITE', 'CANCEL']);
  return { screen: (request) => (deaf.has(request.method) && !isInDialog(request) ? 'silence' : undefined) };
}

/** Answers an initial INVITE 100, and then never. */
export function keepTrying(): Behaviour {
  return { beforeAnswer: async ({ initial }) => (initial ? 'silence' : undefined) };
}

/** Answers late; INVITE and re-INVITE alike. */
export function delayAnswer(delayMs: number): Behaviour {
  return {
    beforeAnswer: async ({ signal }) => {
      try {
        await delay(delayMs, undefined, { signal });
        return undefined;
      } catch {
        return 'silence';
      }
    },
  };
}

/** Answers 200 so late that its client has given up: a CANCEL is overheard, as if it had crossed the 200. */
export function answerTooLate(delayMs: number): Behaviour {
  return {
    ...delayAnswer(delayMs),
    screen: (request) => (request.method === 'CANCEL' ? 'silence' : undefined),
  };
}

/** Refuses the client's re-INVITEs and UPDATEs with an offer by 491: the first ones, or all of them. */
export function glare(times = Number.POSITIVE_INFINITY): Behaviour {
  let left = times;
  return {
    screen: (request) => {
      const offers = request.method === 'INVITE' || (request.method === 'UPDATE' && request.body.length > 0);
      if (!offers || !isInDialog(request) || left <= 0) return undefined;
      left -= 1;
      return { status: 491 };
    },
  };
}

/** Wants a longer session timer than the client asks for: 422 with Min-SE (RFC 4028 §9). */
export function wantLongerSessions(minSeconds: number): Behaviour {
  return {
    screen: (request) => {
      if (request.method !== 'INVITE' && request.method !== 'UPDATE') return undefined;
      const asked = sessionExpiresIn(request);
      if (asked === undefined || asked.seconds >= minSeconds) return undefined;
      return { status: 422, headers: [['Min-SE', String(minSeconds)]] };
    },
  };
}
