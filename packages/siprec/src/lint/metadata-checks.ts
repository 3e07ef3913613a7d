// What a document's elements mean together (RFC 7865 §6, RFC 7866 §9.1): ids and references, times, addresses, labels, mode.
import type { RecorderProfile } from '../recorder-profile.js';
import { quoted } from '../siprec-error.js';
import type { LintFindingName, Report, Severity } from './finding.js';
import { checkIds } from './id-checks.js';
import type { RequestKind } from './lint-options.js';
import { attributeOf, childrenNamed, type TreeElement } from './metadata-tree.js';
import { checkTimes } from './time-checks.js';

export interface MetadataContext {
  readonly profile: RecorderProfile;
  /** The request that it came in; a document on its own may have come in any. */
  readonly kind: RequestKind | 'document';
  /** Labels of the offer beside it; absent = there is none. */
  readonly labels?: readonly string[];
}

/** Reports on a `recording` element. */
export function checkMeaning(root: TreeElement, context: MetadataContext, report: Report): void {
  const partial = childrenNamed(root, 'datamode')[0]?.text.trim().toLowerCase() === 'partial';
  checkIds(root, { profile: context.profile, partial }, report);
  checkTimes(root, report);
  checkAddresses(root, report);
  checkMode(root, partial, context, report);
  checkLabels(root, context, report);
  if (!partial) checkSenders(root, context.kind !== 'INVITE', report);
  if (context.profile.extensionNamespace !== undefined && context.kind !== 'BYE' && !partial)
    checkParameters(root, report);
}

/** RFC 7865 §6.5.1: an address of record is a sip:, sips: or tel: URI, a host name or an IP address. */
function checkAddresses(root: TreeElement, report: Report): void {
  for (const nameId of childrenNamed(root, 'participant').flatMap((participant) =>
    childrenNamed(participant, 'nameID'),
  )) {
    const aor = attributeOf(nameId, 'aor');
    if (aor === undefined) continue;
    if (/[\s<>"{}|\\^`]/.test(aor)) {
      report({
        name: 'metadata-aor',
        clause: 'RFC 7865 §6.5.1',
        place: nameId.place(),
        text: `aor ${quoted(aor)} has characters that no URI has`,
        cure: 'write the URI alone, without name and brackets, and escape what is left with %',
      });
      continue;
    }
    if (/^(sips?:|tel:)./i.test(aor)) continue;
    if (/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$|^\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]+\]?$/.test(aor)) continue;
    report({
      severity: 'warning',
      name: 'metadata-aor',
      clause: 'RFC 7865 §6.5.1',
      place: nameId.place(),
      text: `aor ${quoted(aor)} is neither a sip:, sips: or tel: URI nor a host`,
      cure: 'write sip:user@host, or tel: and the number',
    });
  }
}

function checkMode(root: TreeElement, partial: boolean, { kind, profile }: MetadataContext, report: Report): void {
  const finding = (name: LintFindingName, severity: Severity, clause: string, text: string, cure: string) =>
    report({ severity, name, clause, place: (childrenNamed(root, 'datamode')[0] ?? root).place(), text, cure });
  if (kind === 'INVITE' && partial) {
    finding(
      'metadata-datamode',
      'error',
      'RFC 7866 §9.1',
      'the first metadata is partial',
      'send a complete snapshot first',
    );
  } else if (kind === 're-INVITE' && partial && profile.strict) {
    finding(
      'metadata-datamode',
      'error',
      `profile ${profile.name}`,
      'the metadata of a re-INVITE is partial',
      'send a complete snapshot',
    );
  } else if (kind === 'BYE' && !partial && profile.strict) {
    finding(
      'metadata-datamode',
      'error',
      `profile ${profile.name}`,
      'the metadata of a BYE is not partial',
      'write <datamode>partial</datamode>',
    );
  }
  if (
    kind !== 'BYE' ||
    childrenNamed(root, 'session').some((session) => childrenNamed(session, 'stop-time').length > 0)
  )
    return;
  const severity = profile.strict ? 'error' : 'warning';
  finding(
    'metadata-stop-time',
    severity,
    'RFC 8068 §3.2.4',
    'no session has a stop-time',
    'say in the BYE when the call stopped',
  );
}

function checkLabels(root: TreeElement, { labels, kind, profile }: MetadataContext, report: Report): void {
  const streams = childrenNamed(root, 'stream');
  const used = streams.flatMap((stream) => childrenNamed(stream, 'label'));
  const finding = (element: TreeElement, severity: Severity, text: string, cure: string) =>
    report({ severity, name: 'metadata-labels', clause: 'RFC 7866 §9.1', place: element.place(), text, cure });
  const repeated = used.find(({ text }, index) => used.findIndex((other) => other.text.trim() === text.trim()) < index);
  if (repeated)
    finding(repeated, 'error', `a second stream has label ${quoted(repeated.text)}`, 'give each stream one m-line');
  if (labels === undefined) {
    const [first] = used;
    if (first === undefined || kind === 'document') return;
    finding(
      first,
      'error',
      `the label ${quoted(first.text)} refers to no offer in this ${kind}`,
      'leave labels out where there is no offer',
    );
    return;
  }
  const missing = labels.filter((label) => !used.some(({ text }) => text.trim() === label));
  const unknown = used.filter(({ text }) => !labels.includes(text.trim()));
  for (const label of unknown) {
    finding(
      label,
      'error',
      `the label ${quoted(label.text)} is on no m-line`,
      `the m-lines have ${quoted(labels.join(' '))}`,
    );
  }
  if (missing.length > 0 && unknown.length === 0 && streams.length > 0) {
    const severity = profile.strict ? 'error' : 'warning';
    finding(
      root,
      severity,
      `no stream has the label ${quoted(missing.join(' '))} of the SDP`,
      'describe every m-line by a stream',
    );
  }
}

/** RFC 7865 §6.5.2: a stream is sent by one or more participants, unless one that has it is on hold and sends nothing. */
function checkSenders(root: TreeElement, mayHold: boolean, report: Report): void {
  const sends = childrenNamed(root, 'participantstreamassoc').map((each) =>
    childrenNamed(each, 'send').map(({ text }) => text.trim()),
  );
  const onHold = mayHold ? sends.filter((ids) => ids.length === 0).length : 0;
  const sent = new Set(sends.flat());
  const unsent = childrenNamed(root, 'stream').filter((stream) => {
    const id = attributeOf(stream, 'stream_id');
    return id !== undefined && !sent.has(id);
  });
  if (unsent.length <= onHold) return;
  for (const stream of unsent) {
    report({
      severity: 'warning',
      name: 'metadata-associations',
      clause: 'RFC 7865 §6.8',
      place: stream.place(),
      text: 'no participant sends this stream',
      cure: 'name it in <send> of the participant whose voice it is',
    });
  }
}

const parameterNames = ['Role', 'CallerDisplayName', 'CalleeDisplayName'];

function checkParameters(root: TreeElement, report: Report): void {
  const finding = (element: TreeElement, text: string, cure: string) =>
    report({ name: 'metadata-parameters', clause: 'profile dynamics365', place: element.place(), text, cure });
  const sessions = childrenNamed(root, 'session');
  if (sessions.length === 0)
    finding(root, 'there is no session with ExtensionParameters', 'describe the call by a session');
  for (const session of sessions) {
    const parameters = childrenNamed(session, 'ExtensionParameters').flatMap((extension) =>
      childrenNamed(extension, 'Parameter'),
    );
    const missing = parameterNames.filter((name) => !parameters.some((each) => attributeOf(each, 'name') === name));
    if (missing.length > 0) {
      finding(
        session,
        `ExtensionParameters lack ${missing.join(', ')}`,
        'add <Parameter name="…" value="…"/> for each',
      );
    }
    const role = parameters.find((each) => attributeOf(each, 'name') === 'Role');
    const value = role && attributeOf(role, 'value');
    if (role && value !== 'inbound' && value !== 'outbound') {
      finding(role, `Role is ${quoted(value ?? '')}`, "write inbound or outbound, from the seller's side");
    }
  }
}
