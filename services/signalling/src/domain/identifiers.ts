// Identifiers that look alike as strings and must not be mixed up.
import { randomUUID } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Our name of a call: in events, logs, the relay's session id. Not a SIP Call-ID. */
export type CallId = Branded<'CallId'>;

export function newCallId(): CallId {
  return randomUUID() as CallId;
}
