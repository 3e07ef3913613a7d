/** What stands in the recorder's 200 beside the session description: Contact and session timer. Pure. */
import {
  answerSession,
  formatHostPort,
  formatSessionExpires,
  Headers,
  type HostPort,
  type IncomingInvite,
  type SessionAnswer,
  type SessionExpires,
  type SessionTimer,
  SipError,
  type SipRequest,
} from '@sidestream/sip';

/** The recorder's Contact (RFC 7866 §6.1.2) for a client that has connected to this address. */
export function recorderContact({ request, flow }: IncomingInvite, { host, port }: HostPort): string {
  // RFC 3261 §12.1.1: whoever is called by sips: says sips: too.
  const uri = /^sips:/i.test(request.uri)
    ? `sips:SRS@${formatHostPort(host, port)}`
    : `sip:SRS@${formatHostPort(host, port)};transport=${flow.protocol}`;
  return `<${uri}>;+sip.srs`;
}

/** The session timer that the answer to an INVITE or UPDATE agrees to (RFC 4028 §9). */
export function agreedTimer(request: SipRequest, wish: SessionExpires | undefined): SessionTimer | undefined {
  return sessionAnswer(request, wish)?.timer;
}

/** The header lines that say so. */
export function timerHeaders(request: SipRequest, wish: SessionExpires | undefined): Headers {
  const headers = new Headers();
  const answer = sessionAnswer(request, wish);
  if (answer === undefined) return headers;
  headers.set('Session-Expires', formatSessionExpires(answer.sessionExpires));
  if (answer.requireTimer) headers.set('Require', 'timer');
  return headers;
}

function sessionAnswer(request: SipRequest, wish: SessionExpires | undefined): SessionAnswer | undefined {
  try {
    return answerSession(request, wish, undefined);
  } catch (error) {
    // A header that cannot be read asks for nothing.
    if (error instanceof SipError) return undefined;
    throw error;
  }
}
