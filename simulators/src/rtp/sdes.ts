/** SDES crypto attributes (RFC 4568) of the one suite that the simulators speak. Keys come in here and are never shown. */
import { randomBytes } from 'node:crypto';
import { MASTER_LENGTH } from './srtp-keys.js';

export const SUITE = 'AES_CM_128_HMAC_SHA1_80';

/** One `a=crypto` line; `master` is absent when it cannot be used, and `problem` says why. */
export interface CryptoAttribute {
  tag: number;
  suite: string;
  master?: Buffer;
  problem?: string;
}

const BASE64_OF_30 = /^[A-Za-z0-9+/]{40}$/;

/** Reads the parts of a crypto attribute as the SDP parser gives them. */
export function readCrypto(tag: number, suite: string, config: string): CryptoAttribute {
  if (suite !== SUITE) return { tag, suite, problem: `suite ${suite.slice(0, 40)} is not ${SUITE}` };
  const [inline = '', ...options] = config.split('|');
  const key = inline.startsWith('inline:') ? inline.slice('inline:'.length) : '';
  if (!BASE64_OF_30.test(key)) return { tag, suite, problem: 'the key is not 40 characters of base64' };
  // A master key identifier would make packets longer by its length; the profile has none.
  if (options.some((option) => option.includes(':'))) return { tag, suite, problem: 'a master key identifier is used' };
  return { tag, suite, master: Buffer.from(key, 'base64') };
}

/** A key of our own: RFC 4568 §6.1 wants one for each stream and each direction. */
export function newMaster(): Buffer {
  return randomBytes(MASTER_LENGTH);
}

/** The attribute's value for an answer. */
export function formatCrypto({ tag, master, suite = SUITE }: { tag: number; master: Buffer; suite?: string }): string {
  return `${tag} ${suite} inline:${master.toString('base64')}`;
}

/**
 * A copy of a message's bytes in which every SDES key is replaced by as many asterisks, so that all lengths stay true.
 * Whatever follows `inline:` counts as key, because a malformed one may still hold a secret.
 */
export function redactKeys(bytes: Buffer): Buffer {
  // latin1 maps each byte to one character and back, so bytes of any encoding pass unchanged.
  const text = bytes
    .toString('latin1')
    .replace(/(inline:)([^|\s]*)/gi, (_, name: string, key: string) => name + '*'.repeat(key.length));
  return Buffer.from(text, 'latin1');
}
