/** Reading objects whose keys come in any case. */

/** The fields by their names in lower case; of two that differ in case only, the first. Nothing of what is no object. */
export function foldCase(value: unknown): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) return new Map();
  const fields = new Map<string, unknown>();
  for (const [key, field] of Object.entries(value)) {
    const folded = key.toLowerCase();
    if (!fields.has(folded)) fields.set(folded, field);
  }
  return fields;
}
