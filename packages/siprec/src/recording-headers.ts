// Header fields of a recording session's requests that are SIPREC's or the recorder's, ready to be added to a request.
// It must not know how a SIP message is sent: no Via, no CSeq, no tags here.
import { isIP } from 'node:net';
import { newCallId } from '@sidestream/sip';
import type { RecorderProfile, SecureUri } from './recorder-profile.js';
import { quoted, SiprecError } from './siprec-error.js';

export type HeaderField = [name: string, value: string];

export interface RecordingAccount {
  /** The account id with which the tenant is registered at the recorder's owner; unused by profiles without one. */
  readonly accountId: string;
}

/**
 * The fields of an INVITE or re-INVITE besides those of the dialog, Contact and Content-Type.
 * RFC 7866 §6.1.1 (`Require: siprec`), §9.1 (Accept); UPDATE is allowed so that a recorder can ask for a snapshot.
 * @throws SiprecError `account-id` when the id cannot stand in a header field
 */
export function inviteHeaders(profile: RecorderProfile, account: RecordingAccount): HeaderField[] {
  return [
    ...everyRequest(profile, account),
    ['Accept', `application/sdp, ${profile.metadataType}`],
    ['Allow', 'INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE'],
  ];
}

/**
 * The fields of a BYE that carries metadata, besides those of the dialog and Content-Type (RFC 8068 §3.2.4).
 * @throws SiprecError `account-id` when the id cannot stand in a header field
 */
export function byeHeaders(profile: RecorderProfile, account: RecordingAccount): HeaderField[] {
  return everyRequest(profile, account);
}

function everyRequest(profile: RecorderProfile, { accountId }: RecordingAccount): HeaderField[] {
  return [['Require', 'siprec'], ...account(profile, accountId), ['MIME-Version', '1.0']];
}

function account({ accountHeader }: RecorderProfile, accountId: string): HeaderField[] {
  if (accountHeader === undefined) return [];
  // A line break in the account id would let a configuration value write header fields of its own.
  if (!/^[\x21-\x7e]{1,256}$/.test(accountId)) {
    throw new SiprecError('account-id', `account id ${quoted(accountId)} is not 1 to 256 visible ASCII characters`);
  }
  return [[accountHeader, accountId]];
}

/**
 * The Contact value of every request and response of a recording session: the feature tag is a parameter of the header
 * field, not of the URI (RFC 7866 §6.1.1, RFC 3840 §9). Its scheme is the recorder's (RFC 3261 §8.1.1.8).
 * @throws SiprecError `contact` when user, host or port cannot stand in a URI
 */
export function recordingContact(profile: RecorderProfile, target: SecureUri): string {
  const { user, host, port } = target;
  const usable =
    /^[A-Za-z0-9\-_.!~*'()&=+$,%]{1,64}$/.test(user) &&
    (isIP(host) !== 0 || /^[A-Za-z0-9.-]{1,253}$/.test(host)) &&
    Number.isInteger(port) &&
    port > 0 &&
    port <= 65535;
  if (!usable) throw new SiprecError('contact', `${quoted(`${user}@${host}:${port}`)} is not a usable contact`);
  return `<${profile.uri(target)}>;+sip.src`;
}

/**
 * A new Call-ID for a recording session: 32 lower-case hex digits without a host, the form that the recorder correlates
 * with the dialer widget's events byte for byte.
 */
export function newRecordingCallId(): string {
  return newCallId();
}
