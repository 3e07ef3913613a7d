// XML of strangers as a small tree of elements by local name. Namespaces are left alone on purpose: recorders and clients in the
// field use those of four drafts. It must not know what the elements mean.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { SiprecError } from '../siprec-error.js';
import { resolveReferences, textFaults } from './xml-references.js';

export interface XmlElement {
  /** Local name, lower-case, because `dataMode` is seen beside `datamode`. */
  readonly name: string;
  /** Name as written, with its prefix. */
  readonly qualifiedName: string;
  /** By lower-case local name; namespace declarations are none of them. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Every attribute by its name as written, namespace declarations included. */
  readonly writtenAttributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The element's own text, references resolved, as it stands there. */
  readonly text: string;
  /** Index of its `<` in the document. */
  readonly offset: number;
  /** What XML forbids in its text and attributes, and this reader lets pass. */
  readonly faults: readonly string[];
}

const maxChars = 256 * 1024;
const textKey = '#text';
const cdataKey = '#cdata';
const attributesKey = ':@';

// References are resolved below and not by the parser, which knows numeric ones only together with HTML's.
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  textNodeName: textKey,
  cdataPropName: cdataKey,
  maxNestedTags: 32,
  captureMetaData: true,
});

/**
 * The root element of a document of at most 256 Ki characters, 32 levels deep, without a document type (which is where
 * entity bombs live).
 * @throws SiprecError `metadata-too-large`, `metadata-doctype`, `metadata-not-xml`
 */
export function parseXml(xml: string): XmlElement {
  if (xml.length > maxChars) {
    throw new SiprecError('metadata-too-large', `the document has ${xml.length} characters, more than ${maxChars}`);
  }
  if (/<!DOCTYPE/i.test(xml)) throw new SiprecError('metadata-doctype', 'the document has a document type declaration');
  const offset = xml.length - xml.replace(/^\ufeff/, '').trimStart().length;
  const document = xml.slice(offset).trimEnd();
  const [root, ...more] = elements(parsed(document), offset);
  if (root === undefined || more.length > 0) {
    throw new SiprecError(
      'metadata-not-xml',
      `the document has ${root === undefined ? 'no' : 'more than one'} root element`,
    );
  }
  // Reader and validator both drop a text that follows the root element.
  if (document.endsWith('>')) return root;
  return { ...root, faults: [...root.faults, 'there is text behind the root element (XML 1.0 §2.1)'] };
}

function parsed(xml: string): unknown {
  const verdict = XMLValidator.validate(xml);
  if (verdict !== true) throw notXml(`line ${verdict.err.line}: ${verdict.err.msg}`);
  try {
    return parser.parse(xml);
  } catch (error) {
    throw notXml(error instanceof Error ? error.message : 'unreadable');
  }
}

function notXml(reason: string): SiprecError {
  return new SiprecError('metadata-not-xml', `the document is not well-formed XML: ${reason.slice(0, 200)}`);
}

function elements(nodes: unknown, shift: number): XmlElement[] {
  return records(nodes).flatMap((node) =>
    Object.entries(node)
      .filter(([key]) => key !== attributesKey && key !== textKey && key !== cdataKey)
      .map(([key, content]) => element(key, content, node, shift)),
  );
}

function element(qualifiedName: string, content: unknown, node: Record<string, unknown>, shift: number): XmlElement {
  const written = Object.entries(isRecord(node[attributesKey]) ? node[attributesKey] : {}).map(
    ([name, value]) => [name, String(value)] as const,
  );
  const texts = records(content).map((child) => ({ raw: child[textKey], section: child[cdataKey] }));
  return {
    name: localName(qualifiedName),
    qualifiedName,
    attributes: new Map(
      written
        .filter(([name]) => !/^xmlns(:|$)/.test(name))
        .map(([name, value]) => [localName(name), resolveReferences(value)]),
    ),
    writtenAttributes: new Map(written.map(([name, value]) => [name, resolveReferences(value)])),
    children: elements(content, shift),
    text: texts
      .map(({ raw, section }) => (raw === undefined ? cdata(section) : resolveReferences(String(raw))))
      .join(''),
    offset: shift + offsetOf(node),
    faults: [
      ...written.flatMap(([, value]) => textFaults(value, 'attribute')),
      ...texts.flatMap(({ raw }) => (raw === undefined ? [] : textFaults(String(raw), 'text'))),
    ],
  };
}

function localName(qualifiedName: string): string {
  return qualifiedName.slice(qualifiedName.indexOf(':') + 1).toLowerCase();
}

/** The parser keeps positions under a symbol, the only one. */
function offsetOf(node: object): number {
  const [symbol] = Object.getOwnPropertySymbols(node);
  const position: unknown = symbol === undefined ? undefined : Reflect.get(node, symbol);
  const index = isRecord(position) ? position['startIndex'] : undefined;
  return typeof index === 'number' ? index : 0;
}

/** A CDATA section has no references. */
function cdata(nodes: unknown): string {
  return records(nodes)
    .map((node) => String(node[textKey] ?? ''))
    .join('');
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
