// What must not stand in logs, traces, records, events and metrics, and how it is looked for.

export interface Finding {
  readonly what: string;
  readonly where: string;
}

/** Things that look like a secret, whoever's it is. */
const shapes: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['an SDES key (RFC 4568)', /inline:[A-Za-z0-9+/]{20}/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a JSON Web Token', /eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/],
  ['a seed of NATS', /\bS[ACNOUX][A-Z2-7]{56}\b/],
  ['a digest response (RFC 7616)', /\bresponse="?[0-9a-f]{32}/],
  ['credentials of HTTP', /authorization["']?\s*[:=]\s*["']?(?:bearer|basic|digest)\s+[^\s"'[]/i],
];

/** Something that may stand nowhere: as it is, or in each form that the pattern tells. */
export type Known = readonly [what: string, secret: string | RegExp];

/**
 * A number in whatever form: E.164 or national, grouped by spaces, slashes, hyphens, dots or parentheses.
 * @param significant its digits without those of the country and without the 0 before
 */
export function anyFormOf(significant: string): RegExp {
  return new RegExp([...significant].join('[\\s()./-]*'));
}

/** @param known secrets that are in use, by what they are: none of them may stand there in whatever shape */
export function findSecrets(
  texts: Iterable<readonly [where: string, text: string]>,
  known: Iterable<Known>,
): Finding[] {
  const secrets = [...known];
  const found: Finding[] = [];
  for (const [where, text] of texts) {
    for (const [what, pattern] of shapes) if (pattern.test(text)) found.push({ what, where });
    for (const [what, secret] of secrets)
      if (typeof secret === 'string' ? text.includes(secret) : secret.test(text)) found.push({ what, where });
  }
  return found;
}
