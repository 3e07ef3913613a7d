// Replaces: the dialog that a new INVITE takes the place of (RFC 3891 §6.1).
import { isCallId, isToken, parseParameters, splitList, trimSpace } from '../message/grammar.js';
import { malformed } from '../sip-error.js';

/** A dialog as its peer names it: the tags are those of the one who is asked, `to` its own and `from` the other one's (§3). */
export interface Replaces {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
  /** Only while the dialog is not confirmed. */
  readonly earlyOnly: boolean;
}

/** Reads the value of the header. @throws SipError `malformed`, also for more than one value (§3) */
export function parseReplaces(value: string): Replaces {
  if (splitList(value).length !== 1) throw malformed('Replaces: not exactly one');
  const semicolon = value.indexOf(';');
  const callId = trimSpace(semicolon < 0 ? value : value.slice(0, semicolon));
  if (!isCallId(callId)) throw malformed('Replaces: bad Call-ID');
  const parameters = parseParameters(value, semicolon < 0 ? value.length : semicolon, 'Replaces');
  const tag = (name: string) => {
    const given = parameters.get(name);
    if (given === undefined || given === null || !isToken(given)) throw malformed(`Replaces: no ${name}`);
    return given;
  };
  const early = parameters.get('early-only');
  if (early !== undefined && early !== null) throw malformed('Replaces: early-only has a value');
  return { callId, toTag: tag('to-tag'), fromTag: tag('from-tag'), earlyOnly: early === null };
}

/** The value of the header. */
export function formatReplaces({ callId, toTag, fromTag, earlyOnly }: Replaces): string {
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ';early-only' : ''}`;
}
