// Content-Type values (RFC 2045 §5.1, RFC 3261 §20.15).

export interface MediaType {
  /** Type and subtype, lower-case. */
  readonly mediaType: string;
  /** By lower-case name, quotes removed; the first of a repeated one counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

// A bare value runs to the next semicolon or white space: boundaries with '=' and ':' are seen unquoted. A quote that never
// closes is none.
const parameterPattern = /;\s*([^\s;=]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|"?([^\s;]*))/gs;

const noParameters: ReadonlyMap<string, string> = new Map();

/** Any Content-Type value; nonsense gives an empty type and no parameters. */
export function parseMediaType(value: string): MediaType {
  const bounded = value.length > 2048 ? value.slice(0, 2048) : value;
  const semicolon = bounded.indexOf(';');
  if (semicolon === -1) return { mediaType: bounded.trim().toLowerCase(), parameters: noParameters };
  const mediaType = bounded.slice(0, semicolon).trim().toLowerCase();
  const parameters = new Map<string, string>();
  for (const [, name = '', quotedValue, bare = ''] of bounded.matchAll(parameterPattern)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, unescaped(quotedValue) ?? bare);
  }
  return { mediaType, parameters };
}

function unescaped(quoted: string | undefined): string | undefined {
  return quoted?.includes('\\') ? quoted.replace(/\\(.)/gs, '$1') : quoted;
}
