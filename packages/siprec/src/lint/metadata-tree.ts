// A metadata document with its namespaces resolved (Namespaces in XML 1.0) and each element's path and place.
import type { XmlElement } from '../metadata/xml-element.js';
import type { Place } from './finding.js';
import type { Source } from './source.js';

export interface TreeAttribute {
  readonly qualifiedName: string;
  /** `undefined` = none, as attributes without a prefix have. */
  readonly namespace: string | undefined;
  readonly localName: string;
  readonly value: string;
}

export interface TreeElement {
  /** `undefined` = none. */
  readonly namespace: string | undefined;
  readonly localName: string;
  readonly attributes: readonly TreeAttribute[];
  readonly children: readonly TreeElement[];
  readonly text: string;
  /** `/recording/session[1]/start-time`. */
  readonly path: string;
  place(): Place;
}

export const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/';
type Scope = ReadonlyMap<string, string>;

/** The tree of a document; `unbound` is called for each prefix that stands for nothing. */
export function resolveTree(
  root: XmlElement,
  source: Source,
  unbound: (prefix: string, place: Place) => void,
): TreeElement {
  const resolve = (element: XmlElement, outer: Scope, parentPath: string, index: number): TreeElement => {
    const scope = declared(element, outer);
    const [prefix, localName] = split(element.qualifiedName);
    const path = `${parentPath}/${element.qualifiedName}${index === 0 ? '' : `[${index}]`}`;
    const place = () => source.at(element.offset, path);
    const namespaceOf = (name: string): string | undefined => {
      const namespace = scope.get(name);
      if (namespace === undefined && name !== '') unbound(name, place());
      return namespace === '' ? undefined : namespace;
    };
    const count = new Map<string, number>();
    for (const { qualifiedName } of element.children) count.set(qualifiedName, (count.get(qualifiedName) ?? 0) + 1);
    const seen = new Map<string, number>();
    return {
      namespace: namespaceOf(prefix),
      localName,
      attributes: [...element.writtenAttributes].flatMap(([qualifiedName, value]) => {
        const [attributePrefix, attributeName] = split(qualifiedName);
        if (attributePrefix === 'xmlns' || qualifiedName === 'xmlns') return [];
        const namespace = attributePrefix === '' ? undefined : namespaceOf(attributePrefix);
        return [{ qualifiedName, namespace, localName: attributeName, value }];
      }),
      children: element.children.map((child) => {
        const number = (seen.get(child.qualifiedName) ?? 0) + 1;
        seen.set(child.qualifiedName, number);
        return resolve(child, scope, path, (count.get(child.qualifiedName) ?? 0) > 1 ? number : 0);
      }),
      text: element.text,
      path,
      place,
    };
  };
  return resolve(root, new Map([['xml', xmlNamespace]]), '', 0);
}

function declared(element: XmlElement, outer: Scope): Scope {
  const own = [...element.writtenAttributes].flatMap(([name, value]): [string, string][] => {
    if (name === 'xmlns') return [['', value]];
    return name.startsWith('xmlns:') && value !== xmlnsNamespace ? [[name.slice('xmlns:'.length), value]] : [];
  });
  return own.length === 0 ? outer : new Map([...outer, ...own]);
}

function split(qualifiedName: string): [prefix: string, localName: string] {
  const colon = qualifiedName.indexOf(':');
  return colon === -1 ? ['', qualifiedName] : [qualifiedName.slice(0, colon), qualifiedName.slice(colon + 1)];
}

/** Children of that name, in whatever namespace. */
export function childrenNamed(element: TreeElement, localName: string): TreeElement[] {
  return element.children.filter((child) => child.localName === localName);
}

/** The value of an attribute without a prefix. */
export function attributeOf({ attributes }: TreeElement, name: string): string | undefined {
  return attributes.find(({ namespace, localName }) => namespace === undefined && localName === name)?.value;
}
