// `sidestream lint` by its exit codes and its two forms of output.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { z } from 'zod';
import { cliMain } from './run-cli.js';

const golden = new URL('../../../packages/siprec/golden/', import.meta.url).pathname;
const fixtures = new URL('../../../packages/siprec/fixtures/', import.meta.url).pathname;

function lint(args: readonly string[], input = ''): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cliMain, 'lint', ...args], {
    input,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

test('a clean document is 0, with one line', () => {
  assert.deepEqual(lint([`${golden}metadata-complete.xml`]), {
    code: 0,
    stdout: 'clean: metadata, 2056 bytes, profile dynamics365\n',
    stderr: '',
  });
});

test('findings are 1, each with place, name, clause and cure', () => {
  const { code, stdout } = lint([`${fixtures}avaya.sip`, '--profile', 'rfc7866']);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /avaya\.sip:8:1: error contact-sip-src \(RFC 7866 §6\.1\.1\) header Contact: \+sip\.src stands inside the brackets.*\n {4}write Contact: /,
  );
  assert.match(stdout, /\n3 errors, 3 warnings: INVITE, \d+ bytes, profile rfc7866\n$/);
});

test('an answer is judged alone, or with --offer beside the INVITE that it answers', () => {
  const stream = (port: number, key: string): string =>
    `m=audio ${port} RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key.repeat(40)}\na=recvonly\n`;
  const head = ['Via: SIP/2.0/TLS a;branch=z9hG4bK1', 'From: <sip:a@b>;tag=1', 'To: <sip:c@d>;tag=2', 'Call-ID: 1'];
  const lines = [...head, 'CSeq: 1 INVITE', 'Contact: <sip:c@d>;+sip.srs', 'Content-Type: application/sdp'];
  const sdp = (streams: string): string =>
    `v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n${streams}`.replaceAll('\n', '\r\n');
  const answer = (streams: string): string => {
    const body = sdp(streams);
    return `SIP/2.0 200 OK\r\n${lines.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const offer = ['--profile', 'rfc7866', '--offer', `${fixtures}avaya.sip`];
  const both = answer(stream(4000, 'A') + stream(4002, 'B'));
  assert.deepEqual(lint(['-', ...offer], both).stdout, `clean: answer, ${both.length} bytes, profile rfc7866\n`);
  const one = answer(stream(4000, 'A'));
  assert.equal(lint(['-', '--profile', 'rfc7866'], one).code, 0);
  assert.match(lint(['-', ...offer], one).stdout, /error stream-count \(RFC 3264 §6\) SDP: there are 1 m-lines to 2/);
  const { code, stderr } = lint(['-', '--offer', `${golden}metadata-bye.xml`], one);
  assert.equal(code, 2);
  assert.match(stderr, /metadata-bye\.xml has no SDP offer\n$/);
});

test('- reads stdin, and --json prints one document', () => {
  const { code, stdout } = lint(['-', '--json'], '<recording>');
  const finding = z.strictObject({
    severity: z.enum(['error', 'warning']),
    name: z.string(),
    clause: z.string(),
    place: z.strictObject({ line: z.int().optional(), column: z.int().optional(), path: z.string() }),
    text: z.string(),
    cure: z.string(),
  });
  const document = z
    .strictObject({
      file: z.literal('stdin'),
      kind: z.literal('metadata'),
      profile: z.literal('dynamics365'),
      ok: z.literal(false),
      errors: z.literal(1),
      warnings: z.literal(0),
      findings: z.array(finding).length(1),
    })
    .parse(JSON.parse(stdout));
  assert.equal(document.findings[0]?.name, 'metadata-malformed');
  assert.equal(code, 1);
});

test('garbage is 1, with one finding', () => {
  const { code, stdout } = lint(['-'], 'hello');
  assert.equal(code, 1);
  assert.equal(stdout.match(/: error /g)?.length, 1);
});

test('a file that cannot be read, and a wrong command line, are 2', () => {
  for (const args of [['/nonexistent'], [golden], [], ['-', '--profile', 'other'], ['-', '--wrong']]) {
    const { code, stdout, stderr } = lint(args);
    assert.deepEqual([code, stdout], [2, '']);
    assert.notEqual(stderr, '');
  }
});

test('a key of the file is in neither output', () => {
  const key = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk';
  const text = `INVITE sip:a@b SIP/2.0\nContent-Type: application/sdp\n\nv=0\nm=audio 1 RTP/SAVP 0\na=crypto:x AES inline:${key}\n`;
  for (const flags of [[], ['--json']]) {
    const { code, stdout, stderr } = lint(['-', ...flags], text);
    assert.equal(code, 1);
    assert.match(stdout, /stream-crypto/);
    assert.ok(!`${stdout}${stderr}`.includes(key));
  }
});
