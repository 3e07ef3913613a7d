// Telephone numbers as one comparable form. No country is guessed: a national number could be anybody's.

// Hyphens and dots of every kind, slashes, brackets, spaces, and the invisible marks that come with copied numbers.
const separators = /[\s\p{Pd}\p{Zs}\p{Cf}./()[\]]/gu;
const normal = /^\+[1-9]\d{1,14}$/;
const maxChars = 128;

/**
 * The number as `+` and 2 to 15 digits (E.164), or undefined when it is not an international one. Visual separators
 * (RFC 3966 §5.1.1), a `tel:` scheme and everything from the first `;` on are dropped, a leading `00` becomes `+`.
 */
export function normaliseNumber(text: string): string | undefined {
  if (text.length > maxChars) return undefined;
  // Most numbers of calls are in their normal form already.
  if (normal.test(text)) return text;
  const bare = text.trim().replace(/^tel:/i, '').replace(/;.*$/s, '').replace(separators, '').replace(/^00/, '+');
  return normal.test(bare) ? bare : undefined;
}
