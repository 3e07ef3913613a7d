// The lint of what a recording client sends, and of what a recorder answers: one rule set, for `sidestream lint` and for the recorder simulator alike.
// RFC 7865, 7866, 8068 and 9806; of RFC 2046, 3261, 3264, 4566, 4568, 4574, 5621 and 5630 what matters to them.
import { parseMessage, parseNameAddr, SipError } from '@sidestream/sip';
import { dynamics365 } from '../recorder-profile.js';
import { checkAnswer, checkRecorderContact } from './answer-checks.js';
import { checkBody } from './body-checks.js';
import { FindingList, type LintFinding } from './finding.js';
import { checkFields } from './header-checks.js';
import type { LintOptions, MessageKind, RequestKind } from './lint-options.js';
import { checkDocument } from './metadata-document.js';
import { checkOffer } from './sdp-checks.js';
import { checkSiprecFields } from './siprec-header-checks.js';
import { Source } from './source.js';
import { readWireMessage, type WireMessage } from './wire-message.js';

export interface LintResult {
  /** What was read; `unknown` when nothing could be. */
  readonly kind: MessageKind | 'metadata' | 'unknown';
  /** In the order of their places. */
  readonly findings: readonly LintFinding[];
  /** The SDP offer as it stands in the message. It may hold keys. */
  readonly offer?: string;
  /** The metadata as it stands in the message. */
  readonly metadata?: string;
}

const maxBytes = 1024 * 1024;

/**
 * Checks an INVITE, re-INVITE, UPDATE or BYE of a recording session as it goes on the wire, the recorder's 2xx to an INVITE, or a
 * metadata document.
 * Anything is read, nothing thrown; no finding holds a key.
 */
export function lint(bytes: Buffer, options: LintOptions = {}): LintResult {
  if (bytes.length > maxBytes) return unreadable(`the file has ${bytes.length} bytes, more than ${maxBytes}`);
  if (/^\ufeff?\s*</.test(bytes.toString('utf8', 0, 1024))) return lintDocument(bytes, options);
  const findings = new FindingList();
  const message = readWireMessage(bytes, findings.report);
  if (message.isResponse) return lintResponse(message, options, findings);
  const [, method = '', uri = ''] = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(message.startLine) ?? [];
  if (method === '')
    return unreadable('the first line is neither that of a SIP message nor the beginning of an XML document');
  const kind = kindOf(method, message);
  if (kind === undefined) return unreadable(`${method} carries no recording session: INVITE, UPDATE and BYE do`);
  return lintRequest(message, kind, uri, options, findings);
}

function unreadable(text: string): LintResult {
  const findings = new FindingList();
  findings.report({
    name: 'not-readable',
    clause: 'RFC 7866 §9.1',
    place: { line: 1, column: 1, path: 'file' },
    text,
    cure: 'give one SIP request, or 2xx to an INVITE, as it goes on the wire, or one application/rs-metadata+xml document',
  });
  return { kind: 'unknown', findings: findings.sorted() };
}

function lintDocument(bytes: Buffer, { profile = dynamics365 }: LintOptions): LintResult {
  const findings = new FindingList();
  checkDocument(new Source(bytes.toString('utf8')), { profile, kind: 'document' }, findings.report);
  return { kind: 'metadata', findings: findings.sorted() };
}

function kindOf(method: string, message: WireMessage): RequestKind | undefined {
  if (method === 'UPDATE' || method === 'BYE') return method;
  if (method !== 'INVITE') return undefined;
  return hasToTag(message) ? 're-INVITE' : 'INVITE';
}

function hasToTag(message: WireMessage): boolean {
  try {
    return Boolean(parseNameAddr(message.field('To')?.value ?? '').parameters.get('tag'));
  } catch {
    return false;
  }
}

function lintRequest(
  message: WireMessage,
  kind: RequestKind,
  uri: string,
  { profile = dynamics365, accountId, previousOffer }: LintOptions,
  findings: FindingList,
): LintResult {
  const { report } = findings;
  checkFields(message, kind === 're-INVITE' ? 'INVITE' : kind, kind !== 'INVITE', report);
  checkSiprecFields(message, { kind, uri, profile, accountId }, report);
  if (!findings.hasErrors) checkAsStack(message, findings);
  const { sdp, metadata } = checkBody(message, { kind, profile }, report);
  const labels = sdp && checkOffer(sdp, { profile, previousOffer, bareLf: message.bareLf }, report);
  if (metadata) checkDocument(metadata, { profile, kind, ...(labels && { labels }) }, report);
  return {
    kind,
    findings: findings.sorted(),
    ...(sdp && { offer: sdp.text }),
    ...(metadata && { metadata: metadata.text }),
  };
}

function lintResponse(
  message: WireMessage,
  { profile = dynamics365, offer }: LintOptions,
  findings: FindingList,
): LintResult {
  const { report } = findings;
  const accepts = /^SIP\/2\.0 2\d\d( |$)/.test(message.startLine);
  if (!accepts || !/\sINVITE$/.test(message.field('CSeq')?.value ?? '')) {
    return unreadable('of responses only the 2xx to an INVITE carries an answer');
  }
  checkFields(message, 'INVITE', true, report);
  checkRecorderContact(message, report);
  if (!findings.hasErrors) checkAsStack(message, findings);
  const { sdp } = checkBody(message, { kind: 'answer', profile }, report);
  if (sdp) checkAnswer(message, sdp, { profile, offer }, findings);
  return { kind: 'answer', findings: findings.sorted() };
}

/** Whatever our own SIP stack refuses is wrong, whether a rule above names it or not. */
function checkAsStack(message: WireMessage, { report }: FindingList): void {
  try {
    parseMessage(message.bytes, { stream: true });
  } catch (error) {
    if (!(error instanceof SipError)) throw error;
    report({
      name: 'malformed-message',
      clause: 'RFC 3261 §25.1',
      place: { line: 1, column: 1, path: 'message' },
      text: error.message,
      cure: 'mend what it names',
    });
  }
}
