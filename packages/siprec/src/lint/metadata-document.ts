// One metadata document from its first character on: XML, namespace, grammar, then meaning.
import { parseXml, type XmlElement } from '../metadata/xml-element.js';
import { quoted, SiprecError } from '../siprec-error.js';
import type { Report } from './finding.js';
import { checkMeaning, type MetadataContext } from './metadata-checks.js';
import { metadataRoots, recordingNamespace } from './metadata-grammar.js';
import { resolveTree, type TreeElement } from './metadata-tree.js';
import { checkSchema } from './schema-checks.js';
import type { Source } from './source.js';

/** Reports on a document; `requestsnapshot` is what a recorder sends, and has no meaning to check (RFC 7866 §9.2). */
export function checkDocument(source: Source, context: MetadataContext, report: Report): void {
  const root = readTree(source, report);
  if (root === undefined) return;
  checkProlog(source, report);
  if (!metadataRoots.includes(root.localName)) {
    report({
      name: 'metadata-element-unknown',
      clause: 'RFC 7865 §5.1.2',
      place: root.place(),
      text: `the root element is ${quoted(root.localName)}`,
      cure: 'begin with <recording xmlns="urn:ietf:params:xml:ns:recording:1">',
    });
    return;
  }
  if (root.namespace !== recordingNamespace) {
    report({
      name: 'metadata-namespace',
      clause: 'RFC 7865 §5.1.1',
      place: root.place(),
      text: `the namespace is ${quoted(root.namespace ?? '')}`,
      cure: `write xmlns="${recordingNamespace}"; one without :1 is that of a draft`,
    });
  }
  checkSchema(root, root.namespace, report);
  if (root.localName === 'recording') checkMeaning(root, context, report);
}

function checkProlog(source: Source, report: Report): void {
  const [whole, spaces = '', attributes = ''] =
    /^(\s*)<\?xml\s([^?]{0,200})\?>/.exec(source.text.replace(/^\ufeff/, '')) ?? [];
  const encoding = /encoding\s*=\s*["']([^"']*)["']/.exec(attributes)?.[1];
  if (spaces !== '') {
    report({
      name: 'metadata-malformed',
      clause: 'XML 1.0 §2.8',
      place: source.at(0, 'document'),
      text: 'white space stands before the XML declaration',
      cure: 'begin the document with <?xml',
    });
  }
  if (encoding?.toLowerCase() === 'utf-8') return;
  report({
    severity: encoding === undefined ? 'warning' : 'error',
    name: 'metadata-encoding',
    clause: 'RFC 7865 §5.1',
    place: source.at(0, 'document'),
    text:
      whole === undefined
        ? 'there is no XML declaration'
        : `the XML declaration names ${encoding === undefined ? 'no encoding' : quoted(encoding)}`,
    cure: 'begin with <?xml version="1.0" encoding="UTF-8"?>',
  });
}

function readTree(source: Source, report: Report): TreeElement | undefined {
  let root: XmlElement;
  try {
    root = parseXml(source.text);
  } catch (error) {
    if (!(error instanceof SiprecError)) throw error;
    const line = Number(/\bline (\d+)/.exec(error.message)?.[1] ?? 1);
    report({
      name: 'metadata-malformed',
      clause: 'RFC 7865 §5.1',
      place: source.atLine({ line, column: 1 }, 'document'),
      text: error.message,
      cure: 'write the document with an XML library, which closes and escapes',
    });
    return undefined;
  }
  const malformed = (text: string, cure: string, place: ReturnType<Source['at']>) =>
    report({ name: 'metadata-malformed', clause: 'RFC 7865 §5.1', place, text, cure });
  for (const element of withDescendants(root)) {
    for (const fault of element.faults) {
      malformed(
        fault,
        'write &amp; and &lt; for & and <, and leave control characters out',
        source.at(element.offset, element.qualifiedName),
      );
    }
  }
  return resolveTree(root, source, (prefix, place) =>
    malformed(`the prefix ${quoted(prefix)} stands for no namespace`, `declare xmlns:${prefix}`, place),
  );
}

function* withDescendants(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const child of element.children) yield* withDescendants(child);
}
