/** Session keys of RFC 3711 §4.3 for AES_CM_128_HMAC_SHA1_80 with a key derivation rate of zero. */
import { createCipheriv } from 'node:crypto';

/** Length of what SDES carries: the 16-octet master key, then the 14-octet master salt (RFC 4568 §6.1). */
export const MASTER_LENGTH = 30;

/** Keys of one direction, for SRTP or for SRTCP. */
export interface SessionKeys {
  cipherKey: Buffer;
  cipherSalt: Buffer;
  authKey: Buffer;
}

/** Labels of RFC 3711 §4.3.2. */
const LABELS = {
  srtp: { cipherKey: 0, authKey: 1, cipherSalt: 2 },
  srtcp: { cipherKey: 3, authKey: 4, cipherSalt: 5 },
};

const KEY_LENGTH = 16;
const SALT_LENGTH = 14;
const AUTH_KEY_LENGTH = 20;

/** AES in counter mode (RFC 3711 §4.1.1): encrypting and decrypting are the same. `iv` has 16 octets. */
export function aesCounterMode(key: Buffer, iv: Buffer, data: Buffer): Buffer {
  return createCipheriv('aes-128-ctr', key, iv).update(data);
}

/** The pseudo-random function of §4.3.3: key stream of the master key over salt XOR label. */
export function deriveKey(masterKey: Buffer, masterSalt: Buffer, label: number, length: number): Buffer {
  const iv = Buffer.alloc(16);
  masterSalt.copy(iv, 0, 0, SALT_LENGTH);
  // The 48-bit index (zero here) is the salt's tail; the label stands just above it, seven octets from the right.
  iv.writeUInt8(iv.readUInt8(7) ^ label, 7);
  return aesCounterMode(masterKey, iv, Buffer.alloc(length));
}

/** Derives the three keys; throws RangeError when `master` has not 30 octets. */
export function deriveSessionKeys(master: Buffer, protocol: 'srtp' | 'srtcp'): SessionKeys {
  if (master.length !== MASTER_LENGTH) throw new RangeError(`a master key and salt has ${MASTER_LENGTH} octets`);
  const key = master.subarray(0, KEY_LENGTH);
  const salt = master.subarray(KEY_LENGTH);
  const labels = LABELS[protocol];
  return {
    cipherKey: deriveKey(key, salt, labels.cipherKey, KEY_LENGTH),
    cipherSalt: deriveKey(key, salt, labels.cipherSalt, SALT_LENGTH),
    authKey: deriveKey(key, salt, labels.authKey, AUTH_KEY_LENGTH),
  };
}

/** The initial counter of §4.1.1: (salt · 2^16) XOR (SSRC · 2^64) XOR (index · 2^16); `index` has 48 bits at most. */
export function counterFor(salt: Buffer, ssrc: number, index: number): Buffer {
  const iv = Buffer.alloc(16);
  salt.copy(iv, 0, 0, SALT_LENGTH);
  iv.writeUInt32BE((iv.readUInt32BE(4) ^ ssrc) >>> 0, 4);
  iv.writeUInt16BE(iv.readUInt16BE(8) ^ Math.floor(index / 0x1_0000_0000), 8);
  iv.writeUInt32BE((iv.readUInt32BE(10) ^ ((index % 0x1_0000_0000) | 0)) >>> 0, 10);
  return iv;
}
