// What the numbers of a trunk mean, and how they are written for it: into E.164 on the way in, into the form that the far side wants on
// the way out. A number that cannot be understood passes as it is.
import { internationalNumber, isCountryCode, normaliseNumber } from '@sidestream/policy';
import type { TrunkConfig } from '@sidestream/service';
import { getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** A number of a call, as the plan of the trunk that it came from has it. */
export interface CallNumber {
  /** As it was dialled, without what the plan takes off and with what it puts before it. */
  readonly dialled: string;
  /** E.164 with its +; undefined where it is no such number, or nobody knows of which country. */
  readonly international: string | undefined;
  /** It is passed on as it was dialled. */
  readonly emergency: boolean;
}

/** A number whose characters are escaped (RFC 3261 §19.1.4: `%2B49…` is `+49…`), plain; whatever else it may be, as it is. */
export function plainNumber(user: string): string {
  if (!user.includes('%')) return user;
  const plain = user.replace(/%(2[0-9a-e]|3[0-9])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return dialable.test(plain.replace(separators, '')) ? plain : user;
}

const separators = /[-.() ]/g;
const dialable = /^[+\d*#]+$/;

export class NumberPlan {
  readonly #config: TrunkConfig['numbers'];

  constructor(config: TrunkConfig['numbers']) {
    this.#config = config;
  }

  /** A called number that came from the trunk, or the name of a user, which stays what it is. */
  called(user: string): CallNumber {
    const { strip, prefix } = this.#config.incoming;
    const bare = user.replace(separators, '');
    if (!dialable.test(bare)) return { dialled: user, international: undefined, emergency: false };
    const stripped = strip !== '' && bare.startsWith(strip) && bare.length > strip.length;
    const rest = stripped ? bare.slice(strip.length) : bare;
    const changed = prefix === '' || rest.startsWith('+') ? rest : prefix + rest;
    // Untouched it goes on as it is written, with its separators.
    return this.#number(changed === bare ? user : changed);
  }

  /** A calling number that came from the trunk. */
  calling(user: string): CallNumber {
    return this.#number(user);
  }

  #number(dialled: string): CallNumber {
    const { defaultCountry } = this.#config;
    const country = defaultCountry !== undefined && isCountryCode(defaultCountry) ? defaultCountry : undefined;
    const national = () => (country === undefined ? undefined : internationalNumber(dialled, country));
    return { dialled, international: normaliseNumber(dialled) ?? national(), emergency: false };
  }

  /** A called number as the far side of this trunk wants it. */
  outgoingCalled(number: CallNumber): string {
    const { prefix } = this.#config.outgoing;
    const written = this.outgoing(number);
    const takes = !number.emergency && dialable.test(written.replace(separators, ''));
    return takes ? prefix + written : written;
  }

  /** A calling number, or what stands for one, likewise. */
  outgoing({ dialled, international, emergency }: CallNumber): string {
    if (emergency || international === undefined) return dialled;
    const { format } = this.#config.outgoing;
    switch (format) {
      case 'as-is':
        return dialled;
      case 'e164':
        return international;
      case 'digits':
        return international.slice(1);
      case 'national':
        return this.#national(international);
      default:
        return unreachable(format);
    }
  }

  /** As one dials it in the country of the trunk; a number of another country with the international prefix. */
  #national(international: string): string {
    const { defaultCountry } = this.#config;
    const number = parsePhoneNumberFromString(international);
    if (number === undefined || defaultCountry === undefined || !isCountryCode(defaultCountry)) return international;
    const isHome = number.countryCallingCode === getCountryCallingCode(defaultCountry);
    const written = isHome ? number.format('NATIONAL') : number.format('IDD', { fromCountry: defaultCountry });
    const digits = written.replace(/\D/g, '');
    return digits === '' ? international : digits;
  }
}

function unreachable(format: never): never {
  throw new TypeError(`unknown format ${JSON.stringify(format)}`);
}
