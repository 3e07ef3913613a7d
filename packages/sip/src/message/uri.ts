// SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966); any other scheme is kept opaque.
import { malformed } from '../sip-error.js';
import { formatParameters, noParameters, type Parameters, parseParameters } from './grammar.js';
import { formatHostPort, parseHostPort } from './host.js';

/**
 * A URI in its parts. Escapes stay as written, but in names of parameters. IPv6 hosts have no brackets here. A tel URI has its number in `user`
 * and an empty host; a scheme we do not know has all behind the colon in `opaque` and an empty host.
 */
export interface SipUri {
  /** Lower case. */
  readonly scheme: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly host: string;
  readonly port?: number | undefined;
  readonly parameters: Parameters;
  /** What follows `?`, as written. */
  readonly headers?: string | undefined;
  readonly opaque?: string | undefined;
}

const schemeName = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const forbidden = /[\s<>"]/;

/** Whether the text has the shape `scheme:something` without spaces, quotes or angle brackets. */
export function isAbsoluteUri(text: string): boolean {
  return schemeOf(text) !== undefined;
}

/** The scheme in lower case, undefined where the text is no absolute URI. */
function schemeOf(text: string): string | undefined {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1 || forbidden.test(text)) return undefined;
  const scheme = text.slice(0, colon);
  if (scheme === 'sip' || scheme === 'sips') return scheme;
  return schemeName.test(scheme) ? scheme.toLowerCase() : undefined;
}

/** Reads a URI. `field` names its place in the error. @throws SipError `malformed` */
export function parseUri(text: string, field = 'URI'): SipUri {
  const scheme = schemeOf(text);
  if (scheme === undefined) throw malformed(`${field}: no scheme, or a forbidden character`);
  const rest = text.slice(scheme.length + 1);
  if (scheme === 'sip' || scheme === 'sips') return parseSip(scheme, rest, field);
  if (scheme !== 'tel') return { scheme, host: '', parameters: noParameters, opaque: rest };
  const end = firstOf(rest, ';', rest.length);
  return { scheme, user: rest.slice(0, end), host: '', parameters: parseParameters(rest, end, field) };
}

function parseSip(scheme: string, rest: string, field: string): SipUri {
  // User part may hold ";", "?" and "/" but never "@", so the first "@" ends it (RFC 4475 §3.1.1.9 semiuri).
  const at = rest.indexOf('@');
  if (at === 0) throw malformed(`${field}: empty user`);
  const question = rest.indexOf('?', at + 1);
  const headersAt = question < 0 ? rest.length : question;
  const parametersAt = Math.min(firstOf(rest, ';', headersAt, at + 1), headersAt);
  const { host, port } = parseHostPort(rest.slice(at + 1, parametersAt), field);
  const parameters = parseUriParameters(rest.slice(parametersAt, headersAt));
  const headers = question < 0 ? undefined : rest.slice(question + 1);
  if (at < 0) return { scheme, host, port, parameters, headers };
  const colon = rest.indexOf(':');
  if (colon < 0 || colon > at) return { scheme, user: rest.slice(0, at), host, port, parameters, headers };
  const [user, password] = [rest.slice(0, colon), rest.slice(colon + 1, at)];
  return { scheme, user, password, host, port, parameters, headers };
}

const uriParameter = /;([A-Za-z0-9\-.!%*_+`'~()[\]/:&$]+)(?:=([^\s;,"<>]+))?/y;

// RFC 3261 §25.1 uri-parameters: a name has other characters than that of a header parameter, and escapes, which are resolved,
// so that `%6Cr` is `lr` (RFC 4475 §3.1.1.3 esc01). No spaces, no quotes.
function parseUriParameters(text: string): Parameters {
  if (text === '') return noParameters;
  const parameters = new Map<string, string | null>();
  let end = 0;
  uriParameter.lastIndex = 0;
  for (let match = uriParameter.exec(text); match !== null; match = uriParameter.exec(text)) {
    const name = unescapeUri(match[1] ?? '').toLowerCase();
    if (parameters.has(name)) throw malformed(`URI: parameter ${name} is given twice`);
    parameters.set(name, match[2] ?? null);
    end = uriParameter.lastIndex;
  }
  if (end < text.length) throw malformed(`URI: bad parameter at offset ${end}`);
  return parameters;
}

/** Resolves escapes byte by byte, for comparing only; a "%" that starts no escape stays what it is. */
export function unescapeUri(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function firstOf(text: string, wanted: string, otherwise: number, from = 0): number {
  const found = text.indexOf(wanted, from);
  return found < 0 ? otherwise : found;
}

/** The URI as text. */
export function formatUri(uri: SipUri): string {
  if (uri.opaque !== undefined) return `${uri.scheme}:${uri.opaque}`;
  let text = `${uri.scheme}:`;
  if (uri.user !== undefined) {
    text += uri.user;
    if (uri.password !== undefined) text += `:${uri.password}`;
    if (uri.host !== '') text += '@';
  }
  if (uri.host !== '') text += formatHostPort(uri.host, uri.port);
  text += formatParameters(uri.parameters);
  return uri.headers === undefined ? text : `${text}?${uri.headers}`;
}
