// The header fields of the INVITE that goes to the far side: the caller's identity, what is configured to pass, and nothing else of the
// near side. What is not named here does not pass, so that no internal header and no topology ever leaks.
import { splitList } from '@sidestream/sip';
import { type CallerTrust, identityHeaders } from './identity-headers.js';
import type { InviteIdentities } from './parties.js';
import type { SipFields } from './ports.js';

/** Max-Forwards of a request without one (RFC 3261 §8.1.1.6). */
const defaultMaxForwards = 70;

/** drachtio-server stalls for ever on a message above 12,228 bytes: what does not fit beside an SDP is left out. */
const maxPassedChars = 6_000;

/** Hops that are left for the far INVITE; undefined when there are none (RFC 3261 §16.3: answer 483). */
export function remainingHops(invite: InviteIdentities): number | undefined {
  const text = invite.header('max-forwards')?.trim() ?? '';
  const hops = /^\d{1,3}$/.test(text) ? Number(text) : defaultMaxForwards;
  return hops > 0 ? hops - 1 : undefined;
}

/** What may be asked of us (RFC 3261 §20.5); NOTIFY of a REFER of ours, within its dialog (RFC 3515 §2.4.4). */
export const allowedMethods = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY';

/** What the far side makes of the caller's header fields. */
export interface FarSide extends CallerTrust {
  /** Its target without URI parameters. */
  readonly to: string;
  readonly maxForwards: number;
  /** Names of header fields that pass to it as they are. */
  readonly passHeaders: readonly string[];
}

/** Builds the header fields. */
export function farHeaders(invite: InviteIdentities, far: FarSide): SipFields {
  return {
    ...passedHeaders(invite, far.passHeaders),
    ...identityHeaders(invite, far),
    To: `<${far.to}>`,
    'Max-Forwards': String(far.maxForwards),
    Allow: allowedMethods,
    Supported: 'replaces',
    'User-Agent': 'Sidestream',
  };
}

function passedHeaders(invite: InviteIdentities, names: readonly string[]): Record<string, string | readonly string[]> {
  const passed: Record<string, string | readonly string[]> = {};
  let room = maxPassedChars;
  const pass = (name: string, read: (value: string) => string | readonly string[] = (value) => value) => {
    const value = invite.header(name.toLowerCase());
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a control character would end the line, or the message.
    if (value === undefined || value.length > room || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return;
    room -= value.length;
    passed[name] = read(value);
  };
  for (const name of names) {
    const isIdentity = name.toLowerCase() === 'identity';
    // A diverted call has one for each diversion (RFC 8946), and no grammar by which one field could hold several (RFC 8224 §4).
    pass(name, isIdentity ? splitList : undefined);
    // Its compact form is signed together with the time (RFC 8224 §4.1).
    if (isIdentity && passed[name] !== undefined) pass('Date');
  }
  return passed;
}
