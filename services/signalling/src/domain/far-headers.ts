// The header fields of the INVITE that goes to the far side: the caller's identity and nothing else of the near side. What is not
// named here does not pass, so that no internal header and no topology ever leaks.
import { formatNameAddr, type NameAddr, parseNameAddr, parseUri, splitList } from '@sidestream/sip';
import { type InviteIdentities, wantsPrivacy } from './parties.js';

/** Max-Forwards of a request without one (RFC 3261 §8.1.1.6). */
const defaultMaxForwards = 70;

/** Hops that are left for the far INVITE; undefined when there are none (RFC 3261 §16.3: answer 483). */
export function remainingHops(invite: InviteIdentities): number | undefined {
  const text = invite.header('max-forwards')?.trim() ?? '';
  const hops = /^\d{1,3}$/.test(text) ? Number(text) : defaultMaxForwards;
  return hops > 0 ? hops - 1 : undefined;
}

/** What the far side makes of the caller's header fields. */
export interface FarSide {
  /** Our address towards it, which takes the place of the near side's host in every identity. */
  readonly own: string;
  /** Its target without URI parameters. */
  readonly to: string;
  readonly maxForwards: number;
  /** A caller's number as it wants it. */
  number(user: string): string;
}

/** Builds the header fields. */
export function farHeaders(invite: InviteIdentities, far: FarSide): Record<string, string> {
  const headers: Record<string, string> = {
    From: fromHeader(invite.header('from'), far),
    To: `<${far.to}>`,
    'Max-Forwards': String(far.maxForwards),
    Allow: 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK',
    'User-Agent': 'Sidestream',
  };
  const asserted = rewritten(invite.header('p-asserted-identity'), far);
  if (asserted !== undefined) headers['P-Asserted-Identity'] = asserted;
  const privacy = invite.header('privacy');
  if (privacy !== undefined && /^[\w;,\s-]{1,100}$/.test(privacy)) headers['Privacy'] = privacy.trim();
  // Remote-Party-ID does not pass, but what it asks for does.
  else if (wantsPrivacy(invite)) headers['Privacy'] = 'id';
  const diversion = rewritten(invite.header('diversion'), far);
  if (diversion !== undefined) headers['Diversion'] = diversion;
  return headers;
}

/** Display name and user part stay, the host becomes ours; an unreadable or anonymous From says nothing (RFC 3323 §4.1.1.3). */
function fromHeader(value: string | undefined, far: FarSide): string {
  const address = value === undefined ? undefined : read(value);
  const hidden = '"Anonymous" <sip:anonymous@anonymous.invalid>';
  if (address === undefined || /@anonymous\.invalid\b/i.test(address.uri)) return hidden;
  return withOwnHost(address, far, false) ?? hidden;
}

function rewritten(value: string | undefined, far: FarSide): string | undefined {
  if (value === undefined) return undefined;
  const kept = splitList(value)
    .map(read)
    .flatMap((address) => (address ? (withOwnHost(address, far, true) ?? []) : []));
  return kept.length > 0 ? kept.join(', ') : undefined;
}

function withOwnHost(address: NameAddr, far: FarSide, keepParameters: boolean): string | undefined {
  try {
    const uri = parseUri(address.uri);
    const parameters = keepParameters ? address.parameters : new Map<string, string | null>();
    if (uri.scheme === 'tel') return formatNameAddr({ ...address, parameters });
    const user = uri.user === undefined || uri.user === '' ? '' : `${far.number(uri.user)}@`;
    return formatNameAddr({ ...address, uri: `sip:${user}${far.own}`, parameters });
  } catch {
    return undefined;
  }
}

function read(text: string): NameAddr | undefined {
  try {
    return parseNameAddr(text.trim());
  } catch {
    return undefined;
  }
}
