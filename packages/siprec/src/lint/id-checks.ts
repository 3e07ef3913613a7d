// Ids and what refers to them (RFC 7865 §6.10, RFC 7866 §9.2).
import type { RecorderProfile } from '../recorder-profile.js';
import { quoted } from '../siprec-error.js';
import type { LintFindingName, Report, Severity } from './finding.js';
import { attributeOf, childrenNamed, type TreeElement } from './metadata-tree.js';
import { typeFault } from './simple-types.js';

type Kind = 'group' | 'session' | 'participant' | 'stream';
const kinds: readonly Kind[] = ['group', 'session', 'participant', 'stream'];

interface Reference {
  readonly from: TreeElement;
  readonly to: Kind;
  readonly id: string;
}

/** Reports on the form of ids, on ids of two elements, and on references that lead nowhere. */
export function checkIds(
  root: TreeElement,
  { profile, partial }: { profile: RecorderProfile; partial: boolean },
  report: Report,
): void {
  const owners = new Map<string, Kind>();
  for (const kind of kinds) {
    for (const element of childrenNamed(root, kind)) {
      const id = attributeOf(element, `${kind}_id`);
      if (id === undefined || typeFault('base64', id)) continue;
      checkForm(element, id, profile, report);
      if (owners.has(id)) {
        const text = `the id ${quoted(id)} is that of another ${owners.get(id)} already`;
        finding(report, 'metadata-id-duplicate', 'RFC 7865 §6.10', element, text, 'give each element an id of its own');
      }
      owners.set(id, owners.get(id) ?? kind);
    }
  }
  for (const { from, to, id } of references(root)) {
    // What is no id at all is the grammar's to report.
    if (typeFault('base64', id)) continue;
    const owner = owners.get(id);
    if (owner === to) continue;
    if (owner !== undefined) {
      const text = `${quoted(id)} is the id of a ${owner}, not of a ${to}`;
      finding(report, 'metadata-reference', 'RFC 7865 §6.10', from, text, `name the id of a ${to}`);
    } else if (!partial) {
      // RFC 7866 §9.2: another client may have described it, so a recorder must not take this for an error.
      const severity = profile.strict ? 'error' : 'warning';
      const text = `no ${to} of this document has the id ${quoted(id)}`;
      finding(
        report,
        'metadata-reference',
        'RFC 7866 §9.2',
        from,
        text,
        `a complete snapshot describes every ${to}`,
        severity,
      );
    }
  }
}

function finding(
  report: Report,
  name: LintFindingName,
  clause: string,
  element: TreeElement,
  text: string,
  cure: string,
  severity: Severity = 'error',
): void {
  report({ severity, name, clause, place: element.place(), text, cure });
}

function checkForm(element: TreeElement, id: string, { strict }: RecorderProfile, report: Report): void {
  const bytes = Buffer.from(id, 'base64');
  const clause = 'RFC 7865 §6.10';
  if (bytes.length !== 16 || bytes.toString('base64') !== id) {
    const text = `the id ${quoted(id)} is not the base64 of 16 bytes`;
    const cure = 'encode the 16 bytes of a random UUID, not its text: 24 characters, the last two ==';
    finding(report, 'metadata-id', clause, element, text, cure, strict ? 'error' : 'warning');
    return;
  }
  // Version 1 with a node id that has no multicast bit has the address of a network card in it (RFC 4122 §4.5).
  if ((bytes[6] ?? 0) >> 4 === 1 && ((bytes[10] ?? 0) & 1) === 0) {
    const text = 'the id is a UUID with the address of a network card in it';
    finding(report, 'metadata-id', clause, element, text, 'use random UUIDs, version 4', 'warning');
  }
}

function* references(root: TreeElement): Generator<Reference> {
  const byAttribute = (names: readonly string[], to: 'session' | 'participant') =>
    names.flatMap((name) =>
      childrenNamed(root, name).flatMap((from): Reference[] => {
        const id = attributeOf(from, `${to}_id`);
        return id === undefined ? [] : [{ from, to, id }];
      }),
    );
  const byText = (parent: string, name: string, to: Kind) =>
    childrenNamed(root, parent).flatMap((element) =>
      childrenNamed(element, name).map((from): Reference => ({ from, to, id: from.text.trim() })),
    );
  yield* byAttribute(['stream', 'sessionrecordingassoc', 'participantsessionassoc'], 'session');
  yield* byAttribute(['participantsessionassoc', 'participantstreamassoc'], 'participant');
  yield* byText('session', 'group-ref', 'group');
  yield* byText('participantstreamassoc', 'send', 'stream');
  yield* byText('participantstreamassoc', 'recv', 'stream');
}
