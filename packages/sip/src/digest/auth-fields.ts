// The shape that challenges and credentials share (RFC 7235 §2.1, RFC 3261 §25.1): a scheme and its parameters. Knows no scheme.

import { isQuotedString, isToken, splitList, unquote } from '../message/grammar.js';
import { malformed } from '../sip-error.js';

/** One challenge, or one set of credentials. */
export interface AuthFields {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case, values without their quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** More than any answer has; a bound for those that want to keep us busy. */
const maxElements = 128;
const element = /^(?:([^\s="]+)[ \t]+)?([^\s="]+)[ \t]*=[ \t]*(".*"|[^\s",]+)$/s;
const loneScheme = /^([^\s=",]+)(?:[ \t]+[^\s",]+)?$/;

/**
 * Reads one header field, or several of a name joined by commas: their values may stand in one line, as in HTTP.
 *
 * @throws SipError `malformed` for anything else, and for a parameter that is given twice
 */
export function parseAuthFields(text: string): AuthFields[] {
  const elements = splitList(text);
  if (elements.length > maxElements) throw malformed('authentication: too many parameters');
  const all: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const one of elements) {
    const [, scheme, name, value] = element.exec(one) ?? [];
    if (name === undefined || value === undefined) {
      // A scheme without parameters, or with a token in their place: Negotiate has that.
      const [, lone] = loneScheme.exec(one) ?? [];
      if (lone === undefined || !isToken(lone)) throw malformed('authentication: neither scheme nor parameter');
      all.push({ scheme: lone.toLowerCase(), parameters: new Map() });
      continue;
    }
    if (scheme !== undefined) {
      if (!isToken(scheme)) throw malformed('authentication: the scheme is no token');
      all.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    }
    const current = all.at(-1);
    if (current === undefined) throw malformed('authentication: a parameter without a scheme');
    enter(current.parameters, name, value);
  }
  return all;
}

function enter(parameters: Map<string, string>, name: string, value: string): void {
  const key = name.toLowerCase();
  if (!isToken(name)) throw malformed('authentication: the name of a parameter is no token');
  if (value.startsWith('"') && !isQuotedString(value)) throw malformed(`authentication: ${key} has a bad value`);
  if (parameters.has(key)) throw malformed(`authentication: ${key} is given twice`);
  parameters.set(key, unquote(value));
}
