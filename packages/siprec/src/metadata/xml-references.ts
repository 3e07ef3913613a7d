// References in XML text (XML 1.0 §4.1): what they stand for, and what may stand in a text at all.

const predefined: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const reference = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}));/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const notCharacters = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

/** The text with its references resolved; one to an entity that XML does not know stays as it is. */
export function resolveReferences(raw: string): string {
  return raw.replace(reference, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return predefined[name] ?? whole;
    return characterOf(decimal, hex);
  });
}

function characterOf(decimal: unknown, hex: unknown): string {
  const code = typeof decimal === 'string' ? Number.parseInt(decimal, 10) : Number.parseInt(String(hex), 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
}

/** What XML forbids in a raw text or attribute value. */
export function textFaults(raw: string, where: 'text' | 'attribute'): string[] {
  const faults: string[] = [];
  if (notCharacters.test(raw)) faults.push('there is a character that XML does not have (XML 1.0 §2.2)');
  if (raw.includes('&') && !referencesAreGood(raw)) {
    faults.push('there is a & that begins no known reference (XML 1.0 §4.1)');
  }
  if (where === 'attribute' && raw.includes('<'))
    faults.push('there is a < in the value of an attribute (XML 1.0 §3.1)');
  if (where === 'text' && raw.includes(']]>')) faults.push('there is ]]> in a text (XML 1.0 §2.4)');
  return faults;
}

function referencesAreGood(raw: string): boolean {
  const left = raw.replace(reference, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return Object.hasOwn(predefined, name) ? '' : whole;
    const character = characterOf(decimal, hex);
    // The grammar has a lower-case x only.
    return notCharacters.test(character) || whole.startsWith('&#X') ? whole : '';
  });
  return !left.includes('&');
}
