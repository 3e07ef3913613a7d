// Numbers as directories and trunks write them, into E.164. A number costs some microseconds here, and a country is assumed for
// national ones.
import {
  type CountryCode,
  getExampleNumber,
  isSupportedCountry,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/min';
import examples from 'libphonenumber-js/mobile/examples';
import { numberKey, type PolicyKey } from './policy-key.js';

export type { CountryCode };

const maxChars = 128;
/** Some countries have numbers of five digits; so do extensions, everywhere: what is shorter needs its country code. */
const minNationalDigits = 6;

/** Whether this is a country whose national numbers are understood, ISO 3166-1 alpha-2. */
export function isCountryCode(text: string): text is CountryCode {
  return isSupportedCountry(text);
}

/**
 * The key of a number that a directory holds, or of a prefix such as `+4930*`. Undefined when it is none: what internationalNumber()
 * does not know.
 */
export function directoryNumberKey(text: string, defaultCountry?: CountryCode): PolicyKey | undefined {
  if (text.length > maxChars) return undefined;
  if (text.includes('*')) return numberKey(text);
  const number = internationalNumber(text, defaultCountry);
  return number === undefined ? undefined : numberKey(number);
}

/**
 * A number as people and switches write it, as `+` and digits (E.164). Undefined when it is none: a national number without a default
 * country, without its area code or shorter than six digits, a length that its country does not have, a number with an extension. No
 * more than the length is checked: lists of allotted numbers are always older than the newest number.
 */
export function internationalNumber(text: string, defaultCountry?: CountryCode): string | undefined {
  if (text.length > maxChars) return undefined;
  const written = text
    .replace(/\p{Cf}/gu, '')
    .trim()
    .replace(/^tel:/i, '')
    .replace(/^00/, '+');
  const number = parsePhoneNumberFromString(written, { ...(defaultCountry && { defaultCountry }), extract: false });
  if (number === undefined || number.ext !== undefined || !number.isPossible()) return undefined;
  if (!written.startsWith('+') && defaultCountry !== undefined) {
    if (number.nationalNumber.length < minNationalDigits) return undefined;
    // Without the 0 before the area code it is a number inside some town.
    if (!written.replace(/\D/g, '').startsWith(trunkPrefix(defaultCountry))) return undefined;
  }
  return number.number;
}

const trunkPrefixes = new Map<CountryCode, string>();

/** The digit that every national number of the country begins with besides its own digits, such as the German 0; else empty. */
function trunkPrefix(country: CountryCode): string {
  const known = trunkPrefixes.get(country);
  if (known !== undefined) return known;
  const example = getExampleNumber(country, examples);
  const first = example?.formatNational().replace(/\D/g, '')[0] ?? '';
  const prefix = example?.nationalNumber.startsWith(first) === false ? first : '';
  trunkPrefixes.set(country, prefix);
  return prefix;
}
