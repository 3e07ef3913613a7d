// Header field names: any case, compact forms (RFC 3261 §7.3.3 and the IANA registry), resolved to one lower-case key.

const compactForms: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

// The spelling that nearly every message uses is found without lower-casing or a token check.
const usualSpellings = (
  'Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authorization Call-ID Call-Info ' +
  'Contact Content-Disposition Content-Encoding Content-ID Content-Language Content-Length Content-Type CSeq Date Event ' +
  'Expires From History-Info Identity In-Reply-To Max-Forwards MIME-Version Min-Expires Min-SE Organization ' +
  'P-Asserted-Identity P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require ' +
  'RAck Reason Record-Route Refer-To Referred-By Replaces Request-Disposition Require Retry-After Route RSeq Server ' +
  'Session-Expires Session-ID Subject Subscription-State Supported Timestamp To Unsupported User-Agent Via Warning ' +
  'WWW-Authenticate X-AccountId'
).split(' ');

const knownKeys: ReadonlyMap<string, string> = new Map([
  ...usualSpellings.map((name) => [name, name.toLowerCase()] as const),
  ...usualSpellings.map((name) => [name.toLowerCase(), name.toLowerCase()] as const),
  ...[...compactForms].flatMap(([short, long]) => [[short, long] as const, [short.toUpperCase(), long] as const]),
]);

/** The key of a name that is known by its exact spelling, without further checks. */
export function knownHeaderKey(name: string): string | undefined {
  return knownKeys.get(name);
}

/** The lower-case long form of a header field name. */
export function headerKey(name: string): string {
  return knownKeys.get(name) ?? name.toLowerCase();
}
