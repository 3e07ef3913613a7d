import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SipError } from '../sip-error.js';
import { trimSpace } from './grammar.js';
import { Headers } from './headers.js';
import { formatNameAddr, parseNameAddr } from './name-addr.js';
import { parseMessage } from './parse-message.js';
import { salvageRequest } from './salvage-request.js';
import { serialiseMessage } from './serialise-message.js';
import { type SipMessage, SipRequest, SipResponse } from './sip-message.js';
import { parseUri } from './uri.js';
import { parseVia } from './via.js';

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const token = fc.string({ unit: fc.constantFrom(...letters, ..."-.!%*_+`'~"), minLength: 1, maxLength: 12 });
const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 });
const free = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.string({ unit: fc.constantFrom(...'\u00a0\ufeff\u2028\u0085 \ta'), maxLength: 6 }),
  )
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what no header value can carry
  .map((s) => trimSpace(s.replace(/[\x00-\x1f\x7f]/g, '')));
const displayName = fc.string({ unit: 'binary', maxLength: 20 }).map((s) => s.replace(/[\r\n]/g, ''));
const parameters = fc
  .array(
    fc.tuple(
      token.map((t) => t.toLowerCase()),
      fc.option(token),
    ),
    { maxLength: 3 },
  )
  .map((list) => new Map(list));
const uri = fc.tuple(word, word).map(([user, host]) => `sip:${user}@${host}`);
const nameAddr = fc.tuple(fc.option(displayName), uri, parameters).map(([name, address, list]) => ({
  ...(name === null ? {} : { displayName: name }),
  uri: address,
  parameters: list,
}));
const extra = fc.array(
  fc.tuple(
    token.map((name) => `X-${name}`),
    free,
  ),
  { maxLength: 6 },
);
const parts = fc.record({
  method: token.filter((method) => !method.toUpperCase().startsWith('SIP/')),
  uri,
  status: fc.option(fc.integer({ min: 100, max: 699 })),
  reason: free,
  from: nameAddr,
  to: nameAddr,
  contacts: fc.array(nameAddr, { maxLength: 3 }),
  branch: token,
  callId: token,
  cseq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  extra,
  body: fc.uint8Array({ maxLength: 200 }),
});

const message = parts.map((p): SipMessage => {
  const headers = new Headers([
    ['Via', `SIP/2.0/TCP host;branch=${p.branch}`],
    ['From', formatNameAddr(p.from)],
    ['t', formatNameAddr(p.to)],
    ['Call-ID', p.callId],
    ['CSeq', `${p.cseq} ${p.method}`],
    ...(p.contacts.length === 0 ? [] : [['Contact', p.contacts.map(formatNameAddr).join(', ')] as const]),
    ...p.extra,
  ]);
  const body = Buffer.from(p.body);
  return p.status === null
    ? new SipRequest({ method: p.method, uri: p.uri, headers, body })
    : new SipResponse({ status: p.status, reason: p.reason, headers, body });
});

function fields(m: SipMessage): unknown {
  const first = m.kind === 'request' ? [m.method, m.uri] : [m.status, m.reason];
  const lines = [...m.headers].filter(([name]) => name !== 'Content-Length');
  return [first, lines, m.topVia, m.from, m.to, m.callId, m.cseq, m.contacts, m.body.toString('hex')];
}

test('property: parse after serialise gives the message back, and serialise after parse the bytes', () => {
  fc.assert(
    fc.property(message, fc.boolean(), (m, stream) => {
      const bytes = serialiseMessage(m);
      const parsed = parseMessage(bytes, { stream });
      assert.deepEqual(fields(parsed), fields(m));
      assert.deepEqual(serialiseMessage(parsed), bytes);
    }),
  );
});

function onlySipError(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof SipError, String(error));
  }
}

// Bytes that are nearly a message reach much deeper than noise does.
const damaged = fc
  .tuple(message, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }), fc.nat())
  .map(([m, changes, cut]) => {
    const bytes = Buffer.from(serialiseMessage(m));
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
  });

test('property: no bytes make the parser throw anything but SipError, and what it accepts it can write', () => {
  const bytes = fc.oneof(
    damaged,
    fc.uint8Array({ maxLength: 300 }).map((a) => Buffer.from(a)),
  );
  fc.assert(
    fc.property(bytes, fc.boolean(), (input, stream) => {
      onlySipError(() => {
        const parsed = parseMessage(input, { stream });
        const again = parseMessage(serialiseMessage(parsed), { stream: true });
        assert.deepEqual(fields(again), fields(parsed));
      });
      const saved = salvageRequest(input);
      if (saved !== undefined) assert.ok(saved.topVia.host);
    }),
    { numRuns: 500 },
  );
});

test('property: no text makes a value parser throw anything but SipError', () => {
  const text = fc.string({ unit: fc.constantFrom(...'<>";,:@?= \t\\[]/.a1%*', 'sip:', 'SIP/2.0/UDP '), maxLength: 60 });
  fc.assert(
    fc.property(text, (value) => {
      for (const parse of [parseNameAddr, parseUri, parseVia]) onlySipError(() => parse(value));
    }),
    { numRuns: 1000 },
  );
});
