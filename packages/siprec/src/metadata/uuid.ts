// Ids of metadata elements. RFC 7865 §6.10: a UUID whose 16 raw bytes, not whose text, are base64 on the wire.
import { randomUUID } from 'node:crypto';
import { quoted, SiprecError } from '../siprec-error.js';

declare const uuidBrand: unique symbol;
/** A UUID in its lower-case text form. */
export type Uuid = string & { readonly [uuidBrand]: true };

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function isUuid(text: string): text is Uuid {
  return pattern.test(text);
}

/**
 * The text as a UUID, lower-cased.
 * @throws SiprecError `uuid` when it is none
 */
export function toUuid(text: string): Uuid {
  const lower = text.toLowerCase();
  if (!isUuid(lower)) throw new SiprecError('uuid', `${quoted(text)} is not a UUID`, 'RFC 7865 §6.10');
  return lower;
}

/** A new random (version 4) UUID: RFC 7865 §6.10 forbids personal data in an id, so no time and no MAC address. */
export function newUuid(): Uuid {
  return toUuid(randomUUID());
}

/** The id as it stands in the XML: 24 characters of base64. */
export function uuidToWire(uuid: Uuid): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64');
}

/**
 * The id from its form in the XML.
 * @throws SiprecError `uuid` when it is not the base64 of 16 bytes
 */
export function uuidFromWire(base64: string): Uuid {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== base64) {
    throw new SiprecError('uuid', `${quoted(base64)} is not the base64 of 16 bytes`, 'RFC 7865 §6.10');
  }
  return toUuid(bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
}
