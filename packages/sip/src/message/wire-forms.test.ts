// The same message in the many spellings that RFC 3261 §7.3 allows: whatever a peer chooses, what is read is the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatNameAddr, type NameAddr, parseNameAddr } from './name-addr.js';
import { parseMessage } from './parse-message.js';
import { serialiseMessage } from './serialise-message.js';
import { formatUri, parseUri, type SipUri } from './uri.js';
import { compareUri } from './uri-comparison.js';
import { formatVia, parseVia, type Via } from './via.js';

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 8 });
const token = fc.string({ unit: fc.constantFrom(...letters, ..."-.!%*_+`'~"), minLength: 1, maxLength: 8 });
const escaped = fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`);
const userinfo = fc
  .array(fc.oneof(word, escaped, fc.constantFrom(...";?/&=+$,-_.!~*'()")), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''));
const host = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4().map((address) => `::ffff:${address}`),
);
const port = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined });
const uriWord = fc.array(fc.oneof(word, escaped, fc.constantFrom(...'[]/:&+$')), { minLength: 1, maxLength: 3 });

function parametersOf(name: fc.Arbitrary<string>, value: fc.Arbitrary<string>) {
  return fc
    .array(fc.tuple(name, fc.option(value)), { maxLength: 3 })
    .map((list) => new Map(list.map(([key, text]) => [key.toLowerCase(), text] as const)));
}

const uri: fc.Arbitrary<SipUri> = fc.record({
  scheme: fc.constantFrom('sip', 'sips'),
  user: fc.option(userinfo, { nil: undefined }),
  host,
  port,
  parameters: parametersOf(
    word,
    uriWord.map((parts) => parts.join('')),
  ),
  headers: fc.option(
    fc.tuple(word, escaped).map(([name, value]) => `${name}=${value}`),
    { nil: undefined },
  ),
});

function partsOf(of: SipUri): unknown[] {
  return [of.scheme, of.user, of.password, of.host, of.port, [...of.parameters], of.headers];
}

test('property, RFC 3261 §19.1: a URI is read as it was written, and is the same as itself', () => {
  fc.assert(
    fc.property(uri, fc.option(userinfo), (value, password) => {
      const written = value.user === undefined || password === null ? value : { ...value, password };
      assert.deepEqual(partsOf(parseUri(formatUri(written))), partsOf(written));
      assert.equal(compareUri(parseUri(formatUri(written)), written), true);
    }),
  );
});

test('property, RFC 3261 §19.1.4: an escape and what it stands for are the same, in user and parameters', () => {
  const hex = (text: string): string =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
  fc.assert(
    fc.property(word, word, (user, name) => {
      const plain = parseUri(`sip:${user}@example.com;${name}=${user}`);
      assert.equal(compareUri(plain, parseUri(`sip:${hex(user)}@example.com;${hex(name)}=${hex(user)}`)), true);
    }),
  );
});

const quotedText = fc.string({ unit: fc.constantFrom(...letters, ...' "\\,;<>@:', 'é', '日'), maxLength: 12 });
const nameAddr: fc.Arbitrary<NameAddr> = fc
  .tuple(fc.option(quotedText), uri.map(formatUri), parametersOf(token, token))
  .map(([displayName, address, parameters]) => ({
    ...(displayName === null ? {} : { displayName }),
    uri: address,
    parameters,
  }));
const via: fc.Arbitrary<Via> = fc.record({
  transport: fc.constantFrom('UDP', 'TCP', 'TLS', 'SCTP', 'X'),
  host,
  port,
  parameters: parametersOf(token, token),
});

/** One header as it means, and the ways to spell its name. */
interface Field {
  readonly names: readonly string[];
  /** More than one only for a header that is a list. */
  readonly values: readonly string[];
}

const message = fc.record({
  via: fc.array(via.map(formatVia), { minLength: 1, maxLength: 3 }),
  from: nameAddr.map(formatNameAddr),
  to: nameAddr.map(formatNameAddr),
  contact: fc.array(nameAddr.map(formatNameAddr), { maxLength: 3 }),
  route: fc.array(nameAddr.map(formatNameAddr), { maxLength: 3 }),
  supported: fc.array(token, { maxLength: 3 }),
  callId: token,
  cseq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  subject: fc.string({ unit: fc.constantFrom(...letters, ' ', ',', ';', '"', '<'), maxLength: 20 }),
  body: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
});

function fieldsOf(m: typeof message extends fc.Arbitrary<infer T> ? T : never): Field[] {
  return [
    { names: ['Via', 'v'], values: m.via },
    { names: ['From', 'f'], values: [m.from] },
    { names: ['To', 't'], values: [m.to] },
    { names: ['Call-ID', 'i'], values: [m.callId] },
    { names: ['CSeq'], values: [`${m.cseq} INFO`] },
    { names: ['Contact', 'm'], values: m.contact },
    { names: ['Route'], values: m.route },
    { names: ['Supported', 'k'], values: m.supported },
    { names: ['Subject', 's'], values: [m.subject.trim().replace(/ +/g, ' ')] },
    { names: ['Content-Length', 'l'], values: [String(m.body.length)] },
  ];
}

/** A stream of small choices, so that one seed spells a whole message. */
function chooser(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % n;
  };
}

/** Spells the header lines: long or compact names in any case, lists in one line or many, white space and folds. */
function spell(fields: readonly Field[], choose: (n: number) => number): string {
  // A space that stands alone: a fold and the white space about it are one space together (§25.1, LWS).
  const fold = (value: string): string =>
    value.replace(/(?<! ) (?! )/g, () => [' ', '\r\n ', '\r\n\t', '\r\n   '][choose(4)] ?? ' ');
  const lines: string[] = [];
  for (const { names, values } of fields) {
    const rest = [...values];
    while (rest.length > 0) {
      const taken = rest.splice(0, names[0] === 'Subject' ? 1 : 1 + choose(3));
      const name = names[choose(names.length)] ?? '';
      const cased = [name, name.toLowerCase(), name.toUpperCase()][choose(3)] ?? name;
      const colon = [': ', ':', ' : ', '\t:\t', ':\r\n '][choose(5)] ?? ': ';
      const comma = [',', ', ', ' ,\r\n '][choose(3)] ?? ',';
      lines.push(cased + colon + taken.map(fold).join(comma) + (['', ' ', '\t'][choose(3)] ?? ''));
    }
  }
  return lines.map((line) => `${line}\r\n`).join('');
}

test('property, RFC 3261 §7.3: compact forms, case, folding, white space and comma lists change nothing', () => {
  fc.assert(
    fc.property(message, fc.nat(), (m, seed) => {
      const fields = fieldsOf(m);
      const head = `INFO sip:a@b SIP/2.0\r\n${spell(fields, chooser(seed))}\r\n`;
      const parsed = parseMessage(Buffer.concat([Buffer.from(head), m.body]), { stream: true });
      for (const { names, values } of fields) {
        const read = names[0] === 'Subject' ? parsed.headers.all('Subject') : parsed.headers.values(names[0] ?? '');
        assert.deepEqual(
          read,
          values.filter((value) => names[0] === 'Subject' || value !== ''),
        );
      }
      assert.deepEqual(parsed.topVia, parseVia(m.via[0] ?? ''));
      assert.deepEqual(
        [parsed.from, parsed.to, ...parsed.contacts],
        [m.from, m.to, ...m.contact].map((value) => parseNameAddr(value, 'Contact')),
      );
      assert.deepEqual(parsed.body, m.body);
      assert.deepEqual(parsed.cseq, { number: m.cseq, method: 'INFO' });
      const again = parseMessage(serialiseMessage(parsed), { stream: true });
      assert.deepEqual([[...again.headers], again.body], [[...parsed.headers], parsed.body]);
    }),
    { numRuns: 300 },
  );
});
