// Datagrams as an attacker or a broken peer would send them, made of real messages. The same seed gives the same ones.

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** UDP can't carry more. */
const largest = 65_000;
const names = (
  'Via From To Call-ID CSeq Contact Max-Forwards Route Record-Route Require Supported Content-Length Content-Type ' +
  'Session-Expires RAck RSeq Replaces Refer-To P-Asserted-Identity Privacy Authorization Reason Warning X-Any'
).split(' ');
const values = [
  '',
  '*',
  '-1',
  '0',
  '4294967296',
  '99999999999999999999',
  '<sip:@>',
  '<sip:a@[::1>',
  '"open <sip:a@b>',
  'sip:%00%ff@127.0.0.1',
  '<sip:a@127.0.0.1:99999;transport=tls;lr;maddr=127.0.0.9>',
  'SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bK;received=127.0.0.1;rport=1;ttl=255;maddr=127.0.0.1',
  '1 INVITE',
  '2147483647 BYE',
  '\u0000\u0001\u007f',
  'multipart/mixed;boundary="',
  'é\u2028\ud800',
  '#{jndi:ldap://x}',
  "' OR 1=1 --",
  'a|b|c;leg=1',
];
const methods = 'INVITE ACK BYE CANCEL OPTIONS REGISTER UPDATE PRACK REFER NOTIFY INFO SUBSCRIBE FOO'.split(' ');

export class HostileDatagrams {
  readonly #samples: readonly string[];
  readonly #callIds: readonly string[];
  readonly #random: () => number;
  #serial = 0;

  /** @param samples real messages, Latin-1; @param callIds of calls that are up */
  constructor(samples: readonly string[], callIds: readonly string[], random: () => number) {
    this.#samples = samples;
    this.#callIds = callIds;
    this.#random = random;
  }

  next(): Buffer {
    this.#serial += 1;
    let text = this.#renewed(this.#pick(this.#samples) ?? '');
    // One in eight is a real message out of place, the others are bent.
    const bends = this.#random() < 0.125 ? 0 : 1 + this.#below(3);
    for (let bend = 0; bend < bends; bend += 1) text = this.#bent(text);
    return Buffer.from(text.slice(0, largest), 'latin1');
  }

  /** Mostly a transaction and a dialog that nobody knows; sometimes the Call-ID of a live call with the wrong tags. */
  #renewed(text: string): string {
    const id = `${this.#serial}x${this.#below(1e9)}`;
    const callId = this.#random() < 0.2 ? (this.#pick(this.#callIds) ?? id) : id;
    return text
      .replace(/branch=[^;\s,]+/, `branch=z9hG4bK${id}`)
      .replace(/^(Call-ID|i)[ \t]*:.*$/im, `Call-ID: ${callId}`)
      .replace(/(^(?:From|f)[ \t]*:[^\r\n]*;tag=)[^;\s]+/im, `$1${id}`);
  }

  #bent(text: string): string {
    const lines = text.split('\r\n');
    const at = this.#below(lines.length);
    const name = this.#pick(names) ?? '';
    const value = this.#pick(values) ?? '';
    switch (this.#below(16)) {
      case 0:
        return text.slice(0, this.#below(text.length + 1));
      case 1:
        return this.#flipped(text);
      case 2:
        return lines.toSpliced(at, 1).join('\r\n');
      case 3:
        return lines.toSpliced(at, 0, lines[at] ?? '').join('\r\n');
      case 4:
        return lines.toSpliced(1, 0, `${name}: ${value}`).join('\r\n');
      case 5:
        return lines.map((line) => (line.startsWith(`${name}:`) ? `${name}: ${value}` : line)).join('\r\n');
      case 6:
        return text.replace(/^[A-Z]+/, this.#pick(methods) ?? '');
      case 7:
        return text.replace(/^Content-Length:.*$/im, `Content-Length: ${this.#pick(['-1', '0', '99999', '1e3', 'x'])}`);
      case 8:
        return lines.toSpliced(1, 0, `${name}: ${'A'.repeat(this.#below(largest))}`).join('\r\n');
      case 9:
        return lines.toSpliced(1, 0, ...Array<string>(this.#below(4_000)).fill(`${name}: ${value}`)).join('\r\n');
      case 10:
        return lines
          .toSpliced(1, 0, `Via: ${Array<string>(this.#below(900)).fill('SIP/2.0/UDP a;branch=b').join(',')}`)
          .join('\r\n');
      case 11:
        return lines.toSpliced(1, 0, `${name}: "${'\\"'.repeat(this.#below(20_000))}`).join('\r\n');
      case 12:
        return text.replaceAll('\r\n', this.#pick(['\n', '\r', '\r\n ', '\n\r']) ?? '');
      case 13:
        return text + (this.#pick(this.#samples) ?? '');
      case 14:
        return text.replace(/SIP\/2\.0/, this.#pick(['SIP/3.0', 'SIP/2.00', 'HTTP/1.1', 'sip/2.0', '']) ?? '');
      default:
        return Array.from({ length: this.#below(400) }, () => String.fromCharCode(this.#below(256))).join('');
    }
  }

  #flipped(text: string): string {
    const bytes = Buffer.from(text, 'latin1');
    for (let times = 1 + this.#below(6); times > 0 && bytes.length > 0; times -= 1)
      bytes[this.#below(bytes.length)] = this.#below(256);
    return bytes.toString('latin1');
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#below(from.length)];
  }
}
