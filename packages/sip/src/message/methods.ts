// The methods that the IANA registry of SIP parameters knows.

const registered: ReadonlySet<string> = new Set(
  'ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SUBSCRIBE UPDATE'.split(' '),
);

/**
 * Whether a method is one of SIP's. A user agent that does not take it answers 405 (RFC 3261 §8.2.1); a method that nobody
 * knows is answered 501 (§21.5.2). Methods are case-sensitive.
 */
export function isRegisteredMethod(method: string): boolean {
  return registered.has(method);
}
