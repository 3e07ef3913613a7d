// SDES keys of an offer (RFC 4568). They are looked at and never shown; a file that was redacted has asterisks in their place.
import type { RecorderProfile } from '../recorder-profile.js';
import type { Place, Report } from './finding.js';
import { attribute, type SdpDocument, type SdpMedia } from './sdp-document.js';

/** Characters of base64 that master key and salt have in each suite (RFC 4568 §6.2, RFC 6188, RFC 7714 §12). */
const keyCharacters: Readonly<Record<string, number>> = {
  AES_CM_128_HMAC_SHA1_80: 40,
  AES_CM_128_HMAC_SHA1_32: 40,
  F8_128_HMAC_SHA1_80: 40,
  AES_192_CM_HMAC_SHA1_80: 52,
  AES_192_CM_HMAC_SHA1_32: 52,
  AES_256_CM_HMAC_SHA1_80: 64,
  AES_256_CM_HMAC_SHA1_32: 64,
  AEAD_AES_128_GCM: 40,
  AEAD_AES_256_GCM: 60,
};
const onlySuite = 'AES_CM_128_HMAC_SHA1_80';

/** Reports on the a=crypto lines of one stream. */
export function checkCrypto({ session }: SdpDocument, media: SdpMedia, profile: RecorderProfile, report: Report): void {
  const lines = attribute(media.lines, 'crypto');
  const finding = (clause: string, text: string, cure: string, place: Place = media.line.place) =>
    report({ name: 'stream-crypto', clause, place, text: `stream ${media.number} ${text}`, cure });
  const dtls = [...media.lines, ...session].some(({ type, value }) => type === 'a' && value.startsWith('fingerprint:'));
  if (!/SAVPF?$/.test(media.protocol)) return;
  if (lines.length === 0 && (profile.strict || !dtls)) {
    finding('RFC 4568 §5.1.1', 'has no a=crypto', `write a=crypto:1 ${onlySuite} inline:<40 characters of base64>`);
  }
  if (profile.strict && lines.length > 1) {
    finding(
      `profile ${profile.name}`,
      `has ${lines.length} a=crypto lines`,
      `offer ${onlySuite} only`,
      lines[1]?.place,
    );
  }
  const tags = new Set<string>();
  for (const { value, place } of lines) {
    const [tag = '', suite = '', keys = '', ...parameters] = value.trim().split(/ +/);
    const fault = cryptoFault(tag, suite, keys) ?? (profile.strict ? strictFault(suite, keys) : undefined);
    if (fault !== undefined) finding(fault.clause, fault.text, fault.cure, place);
    if (tags.has(tag)) finding('RFC 4568 §4', `uses crypto tag ${tag.slice(0, 9)} twice`, 'number the lines', place);
    tags.add(tag);
    if (parameters.some((parameter) => /^UN(ENCRYPTED|AUTHENTICATED)_/i.test(parameter))) {
      finding('RFC 7866 §12.2', 'switches encryption or authentication off', 'leave the session parameters out', place);
    }
  }
}

interface Fault {
  readonly clause: string;
  readonly text: string;
  readonly cure: string;
}

function cryptoFault(tag: string, suite: string, keyParameters: string): Fault | undefined {
  if (!/^\d{1,9}$/.test(tag)) {
    return { clause: 'RFC 4568 §9.1', text: 'has an a=crypto without a number as tag', cure: 'write a=crypto:1 …' };
  }
  const length = Object.hasOwn(keyCharacters, suite) ? keyCharacters[suite] : undefined;
  if (length === undefined) {
    return { clause: 'RFC 4568 §6.2', text: `has the unknown suite ${suite.slice(0, 40)}`, cure: `offer ${onlySuite}` };
  }
  for (const parameter of keyParameters.split(';')) {
    const [, key = ''] = /^inline:([^|]*)(\|(2\^)?\d{1,15})?(\|\d{1,10}:\d{1,3})?$/.exec(parameter) ?? [];
    const isKey = /^[A-Za-z0-9+/]*={0,2}$/.test(key) || /^\*+$/.test(key);
    if (!isKey || key.length !== length) {
      const cure = 'use the base64 of random master key and salt, with nothing but lifetime and MKI behind it';
      return { clause: 'RFC 4568 §6.1', text: `has a key that is not ${length} characters of base64`, cure };
    }
  }
  return undefined;
}

function strictFault(suite: string, keyParameters: string): Fault | undefined {
  const clause = 'profile dynamics365';
  if (suite !== onlySuite) return { clause, text: `has the suite ${suite.slice(0, 40)}`, cure: `offer ${onlySuite}` };
  if (/\|\d+:/.test(keyParameters)) {
    return { clause, text: 'has a master key identifier', cure: 'offer one key without an MKI' };
  }
  return undefined;
}

/** RFC 4568 §6.1: a key is unique in the whole description, because two streams under one key give both away. */
export function checkKeys({ media }: SdpDocument, report: Report): void {
  const seen = new Set<string>();
  for (const { number, lines } of media) {
    for (const { value, place } of attribute(lines, 'crypto')) {
      for (const [, key = ''] of value.matchAll(/inline:([A-Za-z0-9+/=]+)/g)) {
        if (seen.has(key)) {
          report({
            name: 'stream-key-reused',
            clause: 'RFC 4568 §6.1',
            place,
            text: `stream ${number} has a key that another line has too`,
            cure: 'make a new random key for each line',
          });
        }
        seen.add(key);
      }
    }
  }
}
