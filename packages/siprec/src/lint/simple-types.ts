// The simple types of XML Schema that RFC 7865 uses: which texts are values of them, and what to write instead.

export type SimpleType = 'string' | 'base64' | 'dateTime' | 'short' | 'anyURI' | 'datamode';

/** What is wrong with a value; undefined when nothing is. */
export function typeFault(type: SimpleType, raw: string): { text: string; cure: string } | undefined {
  // Numbers, base64 and URIs collapse white space (XML Schema Part 2 §4.3.6); RFC 3339 has none in a time.
  const value = raw.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '');
  switch (type) {
    case 'string':
      return undefined;
    case 'datamode':
      // An enumeration of strings: white space counts.
      return raw === 'complete' || raw === 'partial'
        ? undefined
        : {
            text: 'is neither complete nor partial',
            cure: 'write complete or partial, in lower case and without spaces',
          };
    case 'base64':
      return isBase64(value)
        ? undefined
        : { text: 'is not base64', cure: 'write the base64 of the 16 bytes of a UUID' };
    case 'dateTime':
      return isDateTime(raw)
        ? undefined
        : { text: 'is not a date and time', cure: 'write 2026-03-02T09:15:00.250Z, with capital T and Z' };
    case 'short':
      return /^[+-]?\d+$/.test(value) && Math.abs(Number(value)) <= (value.startsWith('-') ? 32_768 : 32_767)
        ? undefined
        : { text: 'is not a number of 16 bits', cure: 'write the SIP status or Q.850 cause as a number' };
    case 'anyURI':
      return isUri(value)
        ? undefined
        : { text: 'is not a URI', cure: 'write a sip:, sips: or tel: URI, with % escapes' };
    default:
      return unknownType(type);
  }
}

function isBase64(value: string): boolean {
  const digits = value.replaceAll(' ', '');
  if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) return false;
  // The bits that padding leaves over are zero (RFC 4648 §3.5).
  if (digits.endsWith('==')) return /[AQgw]==$/.test(digits);
  return !digits.endsWith('=') || /[AEIMQUYcgkosw048]=$/.test(digits);
}

const dateTime = /^-?(\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-](\d\d):(\d\d))?$/;

function isDateTime(value: string): boolean {
  const match = dateTime.exec(value);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [zoneHour = 0, zoneMinute = 0] = match.slice(9, 11).map((digits) => Number(digits ?? 0));
  const isMidnight = hour === 24 && minute === 0 && second === 0 && !/[1-9]/.test(match[7] ?? '');
  return (
    year > 0 &&
    !/^0\d{4}/.test(match[1] ?? '') &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysOf(year, month) &&
    ((hour <= 23 && minute <= 59 && second <= 59) || isMidnight) &&
    zoneMinute <= 59 &&
    (zoneHour <= 13 || (zoneHour === 14 && zoneMinute === 0))
  );
}

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** What XML Schema takes for a URI: characters that RFC 3986 does not have stand for their escapes. */
function isUri(value: string): boolean {
  if (/%(?![0-9A-Fa-f]{2})/.test(value)) return false;
  const [path = '', ...fragments] = value.split('#');
  if (fragments.length > 1) return false;
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(path)?.[0];
  const rest = path.slice(scheme?.length ?? 0);
  // Without a scheme the first segment has no colon, and brackets stand only around a host.
  return (
    !/[[\]]/.test(rest.replace(/^\/\/([^/?]*@)?\[[0-9A-Fa-f:.]+\](:\d*)?/, '')) &&
    (scheme !== undefined || !/^[^/?]*:/.test(rest))
  );
}

function unknownType(type: never): never {
  throw new TypeError(`unknown type ${String(type)}`);
}
