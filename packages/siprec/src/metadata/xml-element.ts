// XML of strangers as a small tree of elements by local name. Namespaces are dropped on purpose: recorders and clients in the
// field use those of four drafts. It must not know what the elements mean.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { SiprecError } from '../siprec-error.js';

export interface XmlElement {
  /** Local name, lower-case, because `dataMode` is seen beside `datamode`. */
  readonly name: string;
  /** By lower-case local name. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The element's own text, references resolved, as it stands there. */
  readonly text: string;
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
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  textNodeName: textKey,
  cdataPropName: cdataKey,
  maxNestedTags: 32,
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
  const [root, ...more] = elements(parsed(xml.replace(/^\ufeff/, '').trim()));
  if (root === undefined || more.length > 0) {
    throw new SiprecError(
      'metadata-not-xml',
      `the document has ${root === undefined ? 'no' : 'more than one'} root element`,
    );
  }
  return root;
}

function parsed(xml: string): unknown {
  try {
    const verdict = XMLValidator.validate(xml);
    if (verdict !== true) throw new Error(`line ${verdict.err.line}: ${verdict.err.msg}`);
    return parser.parse(xml);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unreadable';
    throw new SiprecError('metadata-not-xml', `the document is not well-formed XML: ${reason.slice(0, 200)}`);
  }
}

function elements(nodes: unknown): XmlElement[] {
  return records(nodes).flatMap((node) =>
    Object.entries(node)
      .filter(([key]) => key !== attributesKey && key !== textKey && key !== cdataKey)
      .map(([key, content]) => ({
        name: key.toLowerCase(),
        attributes: attributes(node[attributesKey]),
        children: elements(content),
        text: text(content),
      })),
  );
}

function attributes(value: unknown): ReadonlyMap<string, string> {
  const entries = isRecord(value) ? Object.entries(value) : [];
  return new Map(entries.map(([name, content]) => [name.toLowerCase(), resolved(String(content))]));
}

function text(nodes: unknown): string {
  return records(nodes)
    .map((node) => (textKey in node ? resolved(String(node[textKey])) : cdata(node[cdataKey])))
    .join('');
}

/** A CDATA section has no references. */
function cdata(nodes: unknown): string {
  return records(nodes)
    .map((node) => String(node[textKey] ?? ''))
    .join('');
}

const predefined: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function resolved(raw: string): string {
  return raw.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}));/gi, (reference, decimal, hex, name) => {
    if (typeof name === 'string') return predefined[name] ?? reference;
    const code = typeof decimal === 'string' ? Number.parseInt(decimal, 10) : Number.parseInt(String(hex), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  });
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
