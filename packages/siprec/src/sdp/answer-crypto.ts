// The check of an answered a=crypto against the offered one (RFC 4568 §5.1.2, §5.1.3). Keys never get into a message.
import { SiprecError, type SiprecErrorCode } from '../siprec-error.js';
import { cryptoSuite, inlineKey } from './crypto-attribute.js';
import type { ReadCrypto } from './session-description.js';

/**
 * The tag that both sides agree on.
 * @param stream what an error calls the stream
 * @param offeredKeys the keys of all streams of the offer, none of which an answer may use
 * @throws SiprecError `answer-crypto-*`
 */
export function validateCrypto(
  stream: string,
  offered: readonly ReadCrypto[],
  answered: readonly ReadCrypto[],
  offeredKeys: ReadonlySet<string>,
): number {
  const refusal = (code: SiprecErrorCode, text: string, clause: string) =>
    new SiprecError(code, `${stream}: ${text}`, clause);
  const [crypto, ...more] = answered;
  // A recorder that only receives still needs a key of its own: it encrypts its RTCP with it.
  if (crypto === undefined)
    throw refusal('answer-crypto-missing', 'answered without a usable a=crypto', 'RFC 4568 §5.1.3');
  if (more.length > 0) throw refusal('answer-crypto-several', 'answered with several a=crypto', 'RFC 4568 §5.1.2');
  const offer = offered.find(({ tag }) => tag === crypto.tag);
  if (offer === undefined) {
    throw refusal(
      'answer-crypto-tag',
      `answered with crypto tag ${crypto.tag}, which was not offered`,
      'RFC 4568 §5.1.2',
    );
  }
  if (crypto.suite !== offer.suite || crypto.suite !== cryptoSuite) {
    throw refusal('answer-crypto-suite', `answered with suite ${crypto.suite.slice(0, 40)}`, 'RFC 4568 §5.1.2');
  }
  // None was offered, none is wanted, and UNENCRYPTED_SRTP is one of them (§6.3.2).
  if (crypto.hasSessionParameters) {
    throw refusal('answer-crypto-session-parameter', 'answered with crypto session parameters', 'RFC 4568 §7.1.3');
  }
  const key = inlineKey(crypto.keyParameters);
  if (key === undefined) {
    throw refusal('answer-crypto-key', 'the answered key is not one inline key of 30 bytes', 'RFC 4568 §6.1');
  }
  if (offeredKeys.has(key)) {
    throw refusal('answer-crypto-key', 'the answer repeats the offered key', 'RFC 4568 §7.1.2');
  }
  return crypto.tag;
}
