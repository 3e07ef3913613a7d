// The a=crypto attribute of SDES (RFC 4568 §4, §9.1), as far as a recording session uses it: one suite, one key.

/** The only suite that is offered and accepted. */
export const cryptoSuite = 'AES_CM_128_HMAC_SHA1_80';
const keyAndSaltBytes = 30;

/**
 * The base64 of master key and salt out of key parameters such as `inline:…|2^20|1:4`; lifetime and MKI are not part of it.
 * Undefined when it is not exactly one inline key of 30 bytes, which makes the attribute invalid (RFC 4568 §6.1).
 */
export function inlineKey(keyParameters: string): string | undefined {
  const match = /^inline:([A-Za-z0-9+/]{40})(?:\|[0-9^]{1,12})?(?:\|\d{1,10}:\d{1,3})?$/.exec(keyParameters);
  const key = match?.[1];
  return key !== undefined && Buffer.from(key, 'base64').length === keyAndSaltBytes ? key : undefined;
}

/** The value of an a=crypto attribute without session parameters, or undefined when it is anything else. */
export function plainCrypto(value: string): { tag: number; key: string } | undefined {
  const match = /^(\d{1,9}) (\S+) (\S+)$/.exec(value);
  if (match === null || match[2] !== cryptoSuite) return undefined;
  const key = inlineKey(match[3] ?? '');
  return key === undefined ? undefined : { tag: Number(match[1]), key };
}
