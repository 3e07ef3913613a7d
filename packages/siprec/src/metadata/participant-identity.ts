// Who a participant is to the recorder: an address of record that is a valid URI, and a name.
import { bracketed } from '../host.js';
import { xmlText } from './xml-text.js';

export interface ParticipantIdentity {
  /** A sip:, sips: or tel: URI, or a bare number. */
  readonly aor: string;
  /** The display name, when there is one. */
  readonly name?: string;
}

/** The participant who asked for privacy (`Privacy: id`, RFC 3323 §4.1.1.3): nothing of the caller is left in it. */
export function anonymousParticipant(): ParticipantIdentity {
  return { aor: 'sip:anonymous@anonymous.invalid', name: 'Anonymous' };
}

/**
 * The identity as it may be sent: the address of record reduced to scheme, user and host (RFC 7865 §6.5.1), because port,
 * password, parameters and headers of a signalling URI are not the person's; the name cleaned, absent when nothing is left.
 */
export function cleanIdentity({ aor, name }: ParticipantIdentity): ParticipantIdentity {
  const cleanName = name === undefined ? '' : xmlText(name);
  return cleanName === '' ? { aor: cleanAor(aor) } : { aor: cleanAor(aor), name: cleanName };
}

/** What is shown for a participant: the name, else the number or user, else the whole address. */
export function displayName({ aor, name }: ParticipantIdentity): string {
  if (name !== undefined) return name;
  const user = /^(?:sips?:([^@]+)@|tel:([^;]+))/.exec(aor);
  return decoded(user?.[1]?.replace(/;.*$/, '') ?? user?.[2] ?? aor);
}

function cleanAor(raw: string): string {
  const text = raw.trim().replace(/^<|>$/g, '');
  const number = /^(?:tel:)?(\+?[\d\-.() ]*\d[\d\-.() ]*)(;.*)?$/is.exec(text);
  if (number !== null) return `tel:${(number[1] ?? '').replace(/[^\d+]/g, '')}${uriText(number[2] ?? '')}`;
  if (/^tel:/i.test(text)) return `tel:${uriText(text.slice(4))}`;
  const sip = /^(?:(sips?):)?(?:([^@:]*)(?::[^@]*)?@)?(\[[0-9a-f:.]+\]|[^:;?>]*)/is.exec(text);
  const scheme = (sip?.[1] ?? 'sip').toLowerCase();
  const user = uriText(sip?.[2] ?? '');
  const host = sip?.[3] ?? '';
  // An unknown address still needs a valid URI: RFC 7865 §9 makes aor mandatory.
  if (host === '') return 'sip:unavailable@unknown.invalid';
  const cleanHost = /^\[.*\]$/s.test(host) ? bracketed(host.slice(1, -1)) : uriText(host);
  return user === '' ? `${scheme}:${cleanHost}` : `${scheme}:${user}@${cleanHost}`;
}

/** Percent-encodes whatever may not stand in the opaque part of a URI (RFC 3986 §2). */
function uriText(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replace(/[^A-Za-z0-9\-._~:!$&'()*+,;=%]/gu, encodeURIComponent);
}

function decoded(text: string): string {
  try {
    return xmlText(decodeURIComponent(text));
  } catch {
    return text;
  }
}
