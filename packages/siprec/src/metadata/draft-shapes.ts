// Where the drafts of RFC 7865 and the clients built on them put what the RFC has elsewhere: other attribute names, hyphens and
// underscores, elements inside others. Knows names and places, not meanings.
import { SiprecError } from '../siprec-error.js';
import type { XmlElement } from './xml-element.js';

/** An element and, where it stands in another one, that one. */
export interface Located {
  readonly element: XmlElement;
  /** Local name without hyphens and underscores. */
  readonly canonical: string;
  readonly parent?: Located;
}

/** Elements of the drafts that hold what RFC 7865 has in the root. */
const containers = new Set(['recording', 'group', 'session']);

/** The elements of a document as far as they may be ones of RFC 7865's root. */
export function locate(root: XmlElement): Located[] {
  return within(root, undefined);
}

function within({ children }: XmlElement, parent: Located | undefined): Located[] {
  return children.flatMap((element) => {
    const canonical = canonicalName(element.name);
    const located: Located = parent === undefined ? { element, canonical } : { element, canonical, parent };
    return containers.has(canonical) ? [located, ...within(element, located)] : [located];
  });
}

/**
 * The id of an element: `session_id` in RFC 7865, `id` in the drafts.
 * @throws SiprecError `metadata-content`
 */
export function idOf({ name, attributes }: XmlElement): string {
  const id = attributes.get(`${name}_id`) ?? attributes.get(`${name}id`) ?? attributes.get('id');
  if (id !== undefined) return id;
  throw new SiprecError('metadata-content', `${name} has no attribute ${name}_id`, 'RFC 7865 §9');
}

/** The id that an element refers to: `session_id` in RFC 7865, `session` in the drafts, or that of the element around it. */
export function reference({ element, parent }: Located, what: 'participant' | 'session'): string | undefined {
  const { attributes } = element;
  const named = attributes.get(`${what}_id`) ?? attributes.get(`${what}id`) ?? attributes.get(what);
  if (named !== undefined) return named;
  for (let around = parent; around !== undefined; around = around.parent) {
    if (around.canonical === what) return idOf(around.element);
  }
  return undefined;
}

/** Children by canonical name. */
export function childrenOf(element: XmlElement, canonical: string): XmlElement[] {
  return element.children.filter(({ name }) => canonicalName(name) === canonical);
}

/** The trimmed text of the first child of that canonical name. */
export function childText(element: XmlElement, canonical: string): string | undefined {
  return childrenOf(element, canonical)[0]?.text.trim();
}

function canonicalName(name: string): string {
  return name.replace(/[-_]/g, '');
}
