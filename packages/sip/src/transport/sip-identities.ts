// The SIP domains that a certificate names (RFC 5922 §7.1).

const alternativeName = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g;
const hostName = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/**
 * The domains, in lower case: of its `sip:` URIs, or where there is none, its DNS names. A URI with a user names a person, a wildcard
 * nobody (§7.2); the common name doesn't count.
 *
 * @param subjectAltName as Node prints it; what Node had to put in quotes is no name of ours.
 */
export function sipIdentities(subjectAltName: string | undefined): string[] {
  const uris: string[] = [];
  const names: string[] = [];
  for (const [, kind, value = ''] of (subjectAltName ?? '').matchAll(alternativeName)) {
    const text = value.toLowerCase();
    if (kind === 'URI' && /^sips?:/.test(text)) uris.push(text.replace(/^sips?:/, ''));
    else if (kind === 'DNS') names.push(text);
  }
  return (uris.length > 0 ? uris : names).filter((name) => hostName.test(name));
}
