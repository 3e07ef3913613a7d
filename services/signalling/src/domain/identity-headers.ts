// Who calls, as the far side is told: From, P-Asserted-Identity with its privacy (RFC 3323, RFC 3325), and by whom the call was diverted
// (Diversion, RFC 5806; History-Info, RFC 7044). Names and numbers pass, the near side's hosts never do.
import { formatNameAddr, type NameAddr, parseNameAddr, parseUri, type SipUri, splitList } from '@sidestream/sip';
import { type InviteIdentities, wantsPrivacy } from './parties.js';

/** The two trunks of a call, as far as its caller is concerned. */
export interface CallerTrust {
  /** The trunk that the call came from is in our trust domain: what it asserts is so (RFC 3325 §2.3). */
  readonly believed: boolean;
  /** So is the trunk that the call goes to: it may know what it is asked to keep to itself. */
  readonly trusted: boolean;
  /** Our address towards the far side, which takes the place of the near side's host in every identity. */
  readonly own: string;
  /** A caller's number as the far side wants it. */
  number(user: string): string;
}

const hidden = '"Anonymous" <sip:anonymous@anonymous.invalid>';

/** Header fields that name the caller and whom it called before. */
export function identityHeaders(invite: InviteIdentities, trust: CallerTrust): Record<string, string> {
  const isPrivate = wantsPrivacy(invite);
  // Whoever is outside the trust domain learns nothing that the caller wants kept (RFC 3325 §5, §7).
  const tells = trust.trusted || !isPrivate;
  const headers: Record<string, string> = { From: tells ? fromHeader(invite.header('from'), trust) : hidden };
  const asserted = trust.believed && tells ? rewritten(invite.header('p-asserted-identity'), trust) : undefined;
  if (asserted !== undefined) headers['P-Asserted-Identity'] = asserted;
  const privacy = invite.header('privacy');
  if (privacy !== undefined && /^[\w;,\s-]{1,100}$/.test(privacy)) headers['Privacy'] = privacy.trim();
  // Remote-Party-ID does not pass, but what it asks for does.
  else if (isPrivate) headers['Privacy'] = 'id';
  // RFC 7044 §10.1.2: priv-values history and session are of these headers.
  if (!tells || (!trust.trusted && /\b(history|session)\b/i.test(privacy ?? ''))) return headers;
  const diversion = rewritten(invite.header('diversion'), trust, (address) => trust.trusted || !isKept(address));
  if (diversion !== undefined) headers['Diversion'] = diversion;
  const history = rewritten(invite.header('history-info'), trust, (_, uri) => trust.trusted || !asksPrivacy(uri));
  if (history !== undefined) headers['History-Info'] = history;
  return headers;
}

/** Display name and user part stay, the host becomes ours; an unreadable or anonymous From says nothing (RFC 3323 §4.1.1.3). */
function fromHeader(value: string | undefined, trust: CallerTrust): string {
  const address = value === undefined ? undefined : read(value);
  if (address === undefined || /@anonymous\.invalid\b/i.test(address.uri)) return hidden;
  return withOwnHost({ ...address, parameters: new Map() }, trust) ?? hidden;
}

/** The addresses of a header that may pass, those that cannot be read left out; undefined if there are none. */
function rewritten(
  value: string | undefined,
  trust: CallerTrust,
  passes: (address: NameAddr, uri: SipUri) => boolean = () => true,
): string | undefined {
  if (value === undefined) return undefined;
  const kept = splitList(value)
    .map(read)
    .flatMap((address) => (address ? (withOwnHost(address, trust, passes) ?? []) : []));
  return kept.length > 0 ? kept.join(', ') : undefined;
}

function withOwnHost(
  address: NameAddr,
  { own, number }: CallerTrust,
  passes: (address: NameAddr, uri: SipUri) => boolean = () => true,
): string | undefined {
  try {
    const uri = parseUri(address.uri);
    if (!passes(address, uri)) return undefined;
    if (uri.scheme === 'tel') return formatNameAddr(address);
    if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return undefined;
    const user = uri.user === undefined || uri.user === '' ? '' : `${number(uri.user)}@`;
    return formatNameAddr({ ...address, uri: `sip:${user}${own}${causeOf(uri)}${reasonOf(uri)}` });
  } catch {
    return undefined;
  }
}

/** Why the call was sent here (RFC 4458), which voice mail systems want to know. */
function causeOf({ parameters }: SipUri): string {
  const cause = parameters.get('cause');
  return cause !== undefined && /^\d{3}$/.test(cause ?? '') ? `;cause=${cause}` : '';
}

/** RFC 7044 §5.1: Reason and Privacy of an entry stand as header fields in its URI; others are the near side's. */
function reasonOf({ headers }: SipUri): string {
  const kept = (headers ?? '').split('&').filter((header) => /^(reason|privacy)=[\w%.~!*'();-]{1,200}$/i.test(header));
  return kept.length > 0 ? `?${kept.join('&')}` : '';
}

function asksPrivacy({ headers }: SipUri): boolean {
  return /(^|&)privacy=(?!none)/i.test(headers ?? '');
}

/** RFC 5806 §5: privacy of a diverting user. */
function isKept({ parameters }: NameAddr): boolean {
  return (parameters.get('privacy') ?? 'off').toLowerCase() !== 'off';
}

function read(text: string): NameAddr | undefined {
  try {
    return parseNameAddr(text.trim());
  } catch {
    return undefined;
  }
}
