// No input takes more than linear time: 8 times as much of it may take 8 times as long, but not 64 times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReferTo } from '../refer/refer-to.js';
import { parseReplaces } from '../refer/replaces.js';
import { parseSipfrag } from '../refer/sipfrag.js';
import { SipError } from '../sip-error.js';
import { StreamFramer } from '../transport/stream-framer.js';
import { acceptableTypes } from './accept.js';
import { splitList, unquote } from './grammar.js';
import { Headers } from './headers.js';
import { formatNameAddr, parseNameAddr } from './name-addr.js';
import { parseMessage } from './parse-message.js';
import { salvageRequest } from './salvage-request.js';
import { serialiseMessage } from './serialise-message.js';
import { SipRequest } from './sip-message.js';
import { parseUri } from './uri.js';
import { compareUri } from './uri-comparison.js';
import { parseVia } from './via.js';

const limits = { maxHeaderBytes: 2 ** 22, maxHeaderFields: 2 ** 20, maxBodyBytes: 2 ** 22 };

// Half-way between linear and quadratic, in the exponent.
const growth = 8;
const bound = growth ** 1.5;
// Below it a run is all noise.
const floorMs = 0.25;

/**
 * The shortest of several runs, in milliseconds of CPU: a long run is interrupted on a busy machine where a short one is not, and
 * the clock on the wall would count the waiting.
 */
function shortest(run: () => void, runs: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i += 1) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1_000);
  }
  return best;
}

/** Fails when time grows faster than the bound in each of several measurements. */
function assertLinear(name: string, of: (size: number) => () => void, size: number): void {
  const [small, large] = [of(size), of(size * growth)];
  const ratios: number[] = [];
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    const base = Math.max(shortest(small, 3 * attempt), floorMs);
    const ratio = shortest(large, attempt) / base;
    if (ratio < bound) return;
    ratios.push(Math.round(ratio));
  }
  assert.fail(`${name}: ${growth} times the input took ${ratios.join(', ')} times the time`);
}

/** Everything that is done with bytes from a stranger. */
function handle(bytes: Buffer): void {
  for (const stream of [false, true]) {
    try {
      const message = parseMessage(bytes, { stream, limits });
      for (const name of ['Via', 'Contact', 'Subject']) message.headers.values(name);
      serialiseMessage(message);
    } catch (error) {
      assert.ok(error instanceof SipError, String(error));
    }
  }
  salvageRequest(bytes);
  const framer = new StreamFramer(limits);
  for (let at = 0; at < bytes.length; at += 1460) framer.push(bytes.subarray(at, at + 1460));
}

const around: readonly (readonly [string, string])[] = [
  ['Via', 'SIP/2.0/UDP a'],
  ['From', '<sip:a@b>;tag=x'],
  ['To', '<sip:a@b>'],
  ['Call-ID', 'x'],
  ['CSeq', '1 A'],
  ['Contact', '<sip:a@b>'],
  ['Content-Type', 'a/b'],
  ['Subject', ''],
  ['Content-Length', '0'],
];

/** A message in which one header value goes on with `filler` and `end`. */
function grown(header: string, filler: string, end: string): Buffer {
  const lines = around.map(([name, value]) => `${name}: ${value}${name === header ? filler + end : ''}`);
  return Buffer.from(`A sip:a SIP/2.0\r\n${lines.join('\r\n')}\r\n\r\n`);
}

const units = [
  ' ',
  '\t',
  ',',
  ';',
  '"',
  '""',
  '\\',
  '\\"',
  '"\\',
  '<',
  '>',
  '<>',
  '"<',
  '<"',
  '%',
  '@',
  ':',
  '=',
  'a',
  'a=',
  ';a',
  ' ;',
  '; ',
  ';a=',
  ', ',
  ' ,',
  '\r\n ',
  '\r\n\t',
  '\r\n  ;',
  '"\x01',
  '\\\x01',
  '(',
  '[',
  '[:',
  'é',
  '\x00',
  ';a="',
  ';a="b"',
  'a,',
  '<sip:a@b>,',
  '"a" <sip:a@b>;x,',
];

for (const header of around.map(([name]) => name)) {
  test(`time is linear in what ${header} repeats`, () => {
    for (const unit of units) {
      for (const end of ['', 'x', '"', '>']) {
        const make = (size: number) => {
          const bytes = grown(header, unit.repeat(size / unit.length), end);
          return () => handle(bytes);
        };
        assertLinear(`${header} ${JSON.stringify(unit)}…${end}`, make, 8000);
      }
    }
  });
}

test('time is linear in the number of header lines, of Contacts and of Vias', () => {
  for (const line of [
    'X: y',
    'Via: SIP/2.0/UDP a',
    'Contact: <sip:a@b>',
    'X',
    'To: <sip:a@b>',
    ': y',
    'X\r\n :',
    'v:',
  ]) {
    const make = (size: number) => {
      const lines = `${line}\r\n`.repeat(size);
      const head = around.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const bytes = Buffer.from(`A sip:a SIP/2.0\r\n${lines}${head}\r\n`);
      return () => handle(bytes);
    };
    assertLinear(JSON.stringify(line), make, 1000);
  }
});

test('time is linear in the request line and in what stands before it', () => {
  for (const unit of ['a', ' ', '%', ';', ';a', ';a=', ':', '@', '?', '&', '=', '[', '.', '\\', 'é']) {
    for (const [before, after] of [
      ['A sip:', ' SIP/2.0'],
      ['A sip:a@b', ' SIP/2.0'],
      ['A sip:a@b;', ' SIP/2.0'],
      ['A x:', ''],
      ['', ' sip:a SIP/2.0'],
      ['SIP/2.0 200 ', ''],
    ] as const) {
      const make = (size: number) => {
        const line = before + unit.repeat(size / unit.length) + after;
        const bytes = Buffer.from(`${line}\r\n${around.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
        return () => handle(bytes);
      };
      assertLinear(`${before}${unit}…${after}`, make, 8000);
    }
  }
  for (const unit of ['\r\n', '\r', '\n', '\r\n\r\n ']) {
    const make = (size: number) => {
      const bytes = Buffer.concat([Buffer.from(unit.repeat(size / unit.length)), grown('Subject', '', '')]);
      return () => handle(bytes);
    };
    assertLinear(JSON.stringify(unit), make, 8000);
  }
});

/** The parsers of single values, with all that is done with what they give. */
const values: Readonly<Record<string, (text: string) => unknown>> = {
  splitList,
  unquote,
  parseVia,
  parseReplaces: (text) => parseReplaces(`x${text};to-tag=a;from-tag=b`),
  parseReferTo: (text) => parseReferTo(`<sip:a@b?${text}>`),
  parseSipfrag: (text) => parseSipfrag(`SIP/2.0 200 ${text}`),
  parseNameAddr: (text) => formatNameAddr(parseNameAddr(`sip:a@b${text}`)),
  'parseNameAddr in brackets': (text) => parseNameAddr(`"${text}" <sip:a@b>${text}`),
  parseUri: (text) => compareUri(parseUri(`sip:a@b${text}`), parseUri(`sip:a@b${text}`)),
  'parseUri with a user': (text) => compareUri(parseUri(`sip:${text}@b`), parseUri(`sip:${text}@b`)),
  'parseUri with headers': (text) => compareUri(parseUri(`sip:b?${text}`), parseUri(`sip:b?${text}`)),
  acceptableTypes: (text) =>
    acceptableTypes(new SipRequest({ method: 'A', uri: 'sip:a', headers: new Headers([['Accept', text]]) }), ['a/b']),
};

for (const [name, parse] of Object.entries(values)) {
  test(`time is linear in what is given to ${name}`, () => {
    for (const unit of [...units, '&', '&=', '?', '%41', ';q=0', '*/*,']) {
      const make = (size: number) => {
        const text = unit.repeat(size / unit.length);
        return () => {
          try {
            parse(text);
          } catch (error) {
            assert.ok(error instanceof SipError, String(error));
          }
        };
      };
      assertLinear(`${name} ${JSON.stringify(unit)}`, make, 8000);
    }
  });
}
