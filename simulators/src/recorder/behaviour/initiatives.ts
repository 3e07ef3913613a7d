/** Recorders that do something of their own accord once the session is up. */
import { Headers } from '@sidestream/sip';
import type { Behaviour } from './behaviour.js';
import type { LiveSession, TypedBody } from './live-session.js';

/** A client that is not ready yet says 491; a recorder that wants something asks again. */
const GLARE_RETRIES = 5;

/** Hangs up this long after the answer. */
export function byeAfter(delayMs: number): Behaviour {
  return { answered: (session) => session.after(delayMs, () => session.bye()) };
}

/**
 * Asks for a session timer in its answer and refreshes by itself (RFC 4028 §9, §10), without a change of the session.
 * @param everyMs RFC 4028 wants half of the interval; shorter is allowed
 */
export function refreshSession(everyMs: number, by: 're-INVITE' | 'UPDATE' = 're-INVITE'): Behaviour {
  const seconds = Math.max(90, Math.ceil((2 * everyMs) / 1_000));
  // In our own requests the refresher is their client.
  const headers = () => new Headers([['Session-Expires', `${seconds};refresher=uac`]]);
  return {
    sessionTimer: { seconds, refresher: 'uas' },
    answered: (session) =>
      session.every(everyMs, async () => {
        if (by === 'UPDATE') await session.request('UPDATE', { headers: headers() });
        else await session.reinvite({ headers: headers() });
      }),
  };
}

/** Asks for a metadata snapshot (RFC 7866 §9.2) so long after the answer. */
export function requestSnapshot(delayMs: number, by: 're-INVITE' | 'UPDATE' = 'UPDATE'): Behaviour {
  return {
    answered: (session) =>
      session.after(delayMs, async () => {
        if (by === 'UPDATE') await session.request('UPDATE', snapshotRequest());
        else await session.reinvite({ snapshot: snapshotRequest(), glareRetries: GLARE_RETRIES });
      }),
  };
}

/** Answers inactive and wants the media so long after it (RFC 7866 §7.2). */
export function inactiveThenRecvonly(delayMs: number): Behaviour {
  return {
    changeStreams: (streams, initial) =>
      initial ? streams.map((stream) => ({ ...stream, direction: 'inactive' as const })) : streams,
    answered: (session) =>
      session.after(delayMs, () => session.reinvite({ direction: 'recvonly', glareRetries: GLARE_RETRIES })),
  };
}

/** Sends so many re-INVITEs at once after the answer, each as soon as the one before is answered. */
export function floodWithReinvites(count: number): Behaviour {
  const flood = async (session: LiveSession) => {
    for (let sent = 0; sent < count && !session.signal.aborted; sent += 1) await session.reinvite({});
  };
  return { answered: (session) => session.after(0, () => flood(session)) };
}

/** The body of RFC 7866 §9.2. */
function snapshotRequest(): TypedBody & { headers: Headers } {
  const xml = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1">',
    '<requestreason xml:lang="en">the recorder has lost its metadata</requestreason>',
    '</requestsnapshot>',
  ];
  return {
    headers: new Headers([['Content-Disposition', 'recording-session']]),
    // RFC 9806 §2 corrects the type that RFC 7866 gives.
    contentType: 'application/rs-metadata+xml',
    body: Buffer.from(xml.join('\n')),
  };
}
