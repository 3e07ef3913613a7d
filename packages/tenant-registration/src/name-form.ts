// How a name is written. Nobody documents which form the provider compares, so all that are plausible can be chosen.
import type { DistinguishedName, NameAttribute } from './distinguished-name.js';

/** `dotnet`: as X509Certificate2.Subject prints it; `rfc4514`: as LDAP does; `cn`: the common name alone. */
export type NameForm = 'dotnet' | 'rfc4514' | 'cn';

const commonName = '2.5.4.3';

/** What .NET calls the types, on every platform alike; others are `OID.<dotted>`. */
const dotnetTypes: Readonly<Record<string, string>> = {
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'E',
  '2.23.133.2.1': 'TPMManufacturer',
  '2.23.133.2.2': 'TPMModel',
  '2.23.133.2.3': 'TPMVersion',
  [commonName]: 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'S',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'T',
  '2.5.4.13': 'Description',
  '2.5.4.17': 'PostalCode',
  '2.5.4.18': 'POBox',
  '2.5.4.20': 'Phone',
  '2.5.4.24': 'X21Address',
  '2.5.4.42': 'G',
  '2.5.4.43': 'I',
  '2.5.4.46': 'dnQualifier',
};

/** RFC 4514 §3: the types that every reader knows; others are dotted, with the encoded value. */
const rfc4514Types: Readonly<Record<string, string>> = {
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  [commonName]: 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
};

/** Writes a name in the wanted form; undefined when there is nothing to write (an empty name, a name without CN). */
export function writeName(name: DistinguishedName, form: NameForm): string | undefined {
  switch (form) {
    case 'dotnet':
      return join(name, ', ', ' + ', dotnetAttribute);
    case 'rfc4514':
      return join(name, ',', '+', rfc4514Attribute);
    case 'cn':
      // The most specific one: the last in the encoding.
      return name.flat().findLast(({ type }) => type === commonName)?.text || undefined;
    default:
      return form satisfies never;
  }
}

/** Both forms print the RDNs from the last encoded to the first, and leave the order within an RDN alone. */
function join(
  name: DistinguishedName,
  between: string,
  within: string,
  write: (attribute: NameAttribute) => string,
): string | undefined {
  return name.length === 0
    ? undefined
    : name
        .toReversed()
        .map((rdn) => rdn.map(write).join(within))
        .join(between);
}

/** A value is quoted when Windows quotes it: when empty, with blanks at an end, or with one of these characters (CR is none). */
function dotnetAttribute({ type, text, encoded }: NameAttribute): string {
  const label = dotnetTypes[type] ?? `OID.${type}`;
  if (text === undefined) return `${label}=#${encoded}`;
  const quoted = text === '' || /^[ \t-\r]|[ \t-\r]$|[,+="\n<>#;]/.test(text);
  return `${label}=${quoted ? `"${text.replaceAll('"', '""')}"` : text}`;
}

/** RFC 4514 §2.4. */
function rfc4514Attribute({ type, text, encoded }: NameAttribute): string {
  const label = rfc4514Types[type];
  if (label === undefined || text === undefined) return `${label ?? type}=#${encoded}`;
  const escaped = text
    .replace(/["+,;<>\\]/g, '\\$&')
    .replace(/^[ #]|(?<=.) $/g, '\\$&')
    .replaceAll('\0', '\\00');
  return `${label}=${escaped}`;
}
