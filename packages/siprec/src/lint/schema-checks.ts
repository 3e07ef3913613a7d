// Whether a document keeps to the grammar of RFC 7865 §9: what a schema validator would say, in words and with cures.
import { quoted } from '../siprec-error.js';
import type { LintFindingName, Report } from './finding.js';
import { type ElementGrammar, metadataGrammar, metadataRoots } from './metadata-grammar.js';
import { type TreeAttribute, type TreeElement, xmlNamespace } from './metadata-tree.js';
import { typeFault } from './simple-types.js';

const instanceNamespace = 'http://www.w3.org/2001/XMLSchema-instance';

/**
 * Reports where the document leaves the grammar.
 * @param namespace of the elements that are meant as RFC 7865's: that of the root, even when it is a draft's
 */
export function checkSchema(root: TreeElement, namespace: string | undefined, report: Report): void {
  const checkElement = (element: TreeElement): void => {
    const grammar = metadataGrammar.get(element.localName);
    if (grammar === undefined) return;
    const finding = findingOf(element, grammar, report);
    checkAttributes(element, grammar, finding);
    checkText(element, grammar, finding);
    checkChildren(element, grammar, namespace, report);
    for (const child of element.children) {
      if (child.namespace === namespace) checkElement(child);
      else checkForeign(child);
    }
  };
  // XML Schema validates laxly there: an element that could be a root is one.
  const checkForeign = (element: TreeElement): void => {
    for (const child of element.children) {
      if (child.namespace === namespace && metadataRoots.includes(child.localName)) checkElement(child);
      else checkForeign(child);
    }
  };
  checkElement(root);
}

type Finding = (name: LintFindingName, text: string, cure: string, at?: TreeElement) => void;

function findingOf(element: TreeElement, { clause }: ElementGrammar, report: Report): Finding {
  return (name, text, cure, at = element) => report({ name, clause, place: at.place(), text, cure });
}

function checkAttributes({ attributes }: TreeElement, grammar: ElementGrammar, finding: Finding): void {
  const named = new Set<TreeAttribute>();
  for (const [name, { type, required }] of Object.entries(grammar.attributes)) {
    const attribute = attributes.find((each) => each.namespace === undefined && each.localName === name);
    if (attribute === undefined) {
      const draft = attributes.find((each) => isDraftOf(each, name));
      const cure =
        draft === undefined ? `add ${name}="…"` : `write ${name} for ${draft.qualifiedName}, which a draft had`;
      if (required) finding('metadata-attribute-missing', `there is no attribute ${name}`, cure);
      if (required && draft !== undefined) named.add(draft);
      continue;
    }
    const fault = typeFault(type, attribute.value);
    if (fault) finding('metadata-value', `${name} ${quoted(attribute.value)} ${fault.text}`, fault.cure);
  }
  for (const attribute of attributes) {
    if (isAllowed(attribute, grammar) || named.has(attribute)) continue;
    const known = Object.keys(grammar.attributes).join(', ');
    const cure = known === '' ? 'leave it out' : `the attributes here are ${known}, without a prefix`;
    finding('metadata-attribute-unknown', `the attribute ${quoted(attribute.qualifiedName)} is not known here`, cure);
  }
}

/** Drafts of RFC 7865 had `id` for an element's own id and `session`, `participant` for references. */
function isDraftOf({ namespace, localName }: TreeAttribute, name: string): boolean {
  return namespace === undefined && (localName === 'id' || `${localName}_id` === name);
}

function isAllowed({ namespace, localName }: TreeAttribute, { attributes, lang }: ElementGrammar): boolean {
  if (namespace === undefined) return Object.hasOwn(attributes, localName);
  if (namespace === xmlNamespace) return lang === true && localName === 'lang';
  return (
    namespace === instanceNamespace &&
    ['type', 'nil', 'schemaLocation', 'noNamespaceSchemaLocation'].includes(localName)
  );
}

function checkText({ text, children }: TreeElement, grammar: ElementGrammar, finding: Finding): void {
  if (grammar.text === undefined || grammar.text === 'empty') {
    if (text.trim() !== '' || (grammar.text === 'empty' && text !== '')) {
      finding(
        'metadata-text',
        `there is text ${quoted(text.trim())}, where only elements may be`,
        'leave the text out',
      );
    }
    return;
  }
  if (children.length > 0) return;
  const fault = typeFault(grammar.text, text);
  if (fault) finding('metadata-value', `${quoted(text)} ${fault.text}`, fault.cure);
}

function checkChildren(
  element: TreeElement,
  grammar: ElementGrammar,
  namespace: string | undefined,
  report: Report,
): void {
  const finding = findingOf(element, grammar, report);
  const order = grammar.children.map(({ name }) => name);
  const counts = new Map<string, number>();
  let reached = 0;
  const misplaced = new Set<string>();
  let foreign = false;
  for (const child of element.children) {
    if (child.namespace !== namespace) {
      if (!grammar.open)
        finding('metadata-element-unknown', unknown(child), 'leave it out: nothing may be added here', child);
      else if (child.namespace === undefined) {
        finding(
          'metadata-namespace',
          `${quoted(child.localName)} has no namespace`,
          'give an extension a namespace of its own',
          child,
        );
      }
      foreign = true;
      continue;
    }
    const at = order.indexOf(child.localName);
    if (at === -1) {
      finding('metadata-element-unknown', unknown(child), spelling(child.localName, order), child);
      continue;
    }
    const count = (counts.get(child.localName) ?? 0) + 1;
    counts.set(child.localName, count);
    if (foreign) {
      finding('metadata-element-order', `${child.localName} stands behind an extension`, 'put extensions last', child);
    } else if (at < reached) {
      if (misplaced.has(child.localName)) continue;
      misplaced.add(child.localName);
      finding(
        'metadata-element-order',
        `${child.localName} stands behind ${order[reached]}`,
        `the order is ${order.join(', ')}`,
        child,
      );
    } else if (count > 1 && grammar.children[at]?.max === 1) {
      finding('metadata-element-repeated', `${child.localName} stands here a second time`, 'keep one of them', child);
    }
    reached = Math.max(reached, at);
  }
  for (const { name, min } of grammar.children) {
    if (min === 1 && !counts.has(name)) finding('metadata-element-missing', `there is no ${name}`, `add <${name} …/>`);
  }
}

function unknown({ localName }: TreeElement): string {
  return `the element ${quoted(localName)} is not known here`;
}

function spelling(name: string, order: readonly string[]): string {
  const meant = order.find((known) => known.toLowerCase() === name.toLowerCase());
  if (meant !== undefined) return `write ${meant}`;
  return order.length === 0
    ? 'leave it out'
    : `the elements here are ${order.join(', ')}; an extension needs a namespace of its own`;
}
