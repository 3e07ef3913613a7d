// What a recorder does with a packet of AES_CM_128_HMAC_SHA1_80, for tests: authenticate and decrypt (RFC 3711 §3.3, §4.3), and what it reports. Roll-over
// counter 0.
import { createCipheriv, createHmac } from 'node:crypto';

/**
 * @param crypto of the ForkStream: `1 AES_CM_128_HMAC_SHA1_80 inline:…`.
 * @returns the payload; undefined if the packet is not authentic.
 */
export function openSrtp(crypto: string, packet: Buffer): Buffer | undefined {
  const { authKey, encrypt } = keysOf(crypto);
  const [body, tag] = [packet.subarray(0, -10), packet.subarray(-10)];
  return tagOf(authKey, body).equals(tag) ? encrypt(body) : undefined;
}

/** What a sender does with an RTP packet whose header has 12 octets (RFC 3711 §3.3). */
export function sealSrtp(crypto: string, packet: Buffer): Buffer {
  const { authKey, encrypt } = keysOf(crypto);
  const body = Buffer.concat([packet.subarray(0, 12), encrypt(packet)]);
  return Buffer.concat([body, tagOf(authKey, body)]);
}

function tagOf(authKey: Buffer, body: Buffer): Buffer {
  return createHmac('sha1', authKey).update(body).update(Buffer.alloc(4)).digest().subarray(0, 10);
}

/** `encrypt` takes a packet and gives its payload, encrypted or decrypted: in counter mode they are the same. */
function keysOf(crypto: string): { authKey: Buffer; encrypt: (packet: Buffer) => Buffer } {
  const derive = derivation(crypto);
  const [sessionKey, sessionSalt, authKey] = [derive(0, 16), derive(2, 14), derive(1, 20)];
  const encrypt = (packet: Buffer) => {
    // RFC 3711 §4.1.1: IV = salt · 2^16 XOR SSRC · 2^64 XOR index · 2^16.
    const iv = Buffer.concat([sessionSalt, Buffer.alloc(2)]);
    iv.writeUInt32BE((iv.readUInt32BE(4) ^ packet.readUInt32BE(8)) >>> 0, 4);
    iv.writeUInt16BE(iv.readUInt16BE(12) ^ packet.readUInt16BE(2), 12);
    return keystream(sessionKey, iv, packet.subarray(12));
  };
  return { authKey, encrypt };
}

/**
 * An empty receiver report (RFC 3550 §6.4.2) as SRTCP (RFC 3711 §3.4) that is authenticated and, as E = 0 allows, not encrypted.
 *
 * @param crypto of whoever sends it.
 */
export function sealedReport(crypto: string, index: number): Buffer {
  const report = Buffer.from([0x80, 201, 0, 1, 1, 2, 3, 4]);
  const trailer = Buffer.alloc(4);
  trailer.writeUInt32BE(index);
  const tag = createHmac('sha1', derivation(crypto)(4, 20)).update(report).update(trailer).digest().subarray(0, 10);
  return Buffer.concat([report, trailer, tag]);
}

function derivation(crypto: string): (label: number, length: number) => Buffer {
  const master = Buffer.from(/inline:([A-Za-z0-9+/]{40})/.exec(crypto)?.[1] ?? '', 'base64');
  const [key, salt] = [master.subarray(0, 16), master.subarray(16)];
  return (label, length) => {
    const block = Buffer.concat([salt, Buffer.alloc(2)]);
    block.writeUInt8(block.readUInt8(7) ^ label, 7);
    return keystream(key, block, Buffer.alloc(length));
  };
}

function keystream(key: Buffer, iv: Buffer, data: Buffer): Buffer {
  return createCipheriv('aes-128-ctr', key, iv).update(data);
}
