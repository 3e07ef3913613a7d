import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemOf } from './problem.js';
import { Redactor } from './redactor.js';

function said(body: string, contentType = 'application/json'): string {
  const answer = { status: 400, headers: { 'content-type': contentType }, body: Buffer.from(body) };
  return problemOf(answer, new Redactor().clean);
}

test('every common form of a problem is one short line', () => {
  const cases: [string, string][] = [
    ['{"type":"about:blank","title":"Bad","status":400,"detail":"no orgId"}', 'Bad: no orgId'],
    ['{"title":"Bad","errors":{"orgId":["wrong"]}}', 'Bad: {"orgId":["wrong"]}'],
    ['{"error":{"code":"E1","message":"no"}}', 'E1: no'],
    ['{"error":"invalid_client","error_description":"AADSTS1: x"}', 'invalid_client: AADSTS1: x'],
    ['{"Message":"no"}', 'no'],
    ['{"strange":1}', '{"strange":1}'],
    ['plain\n\u0007 text', 'plain text'],
    ['', ''],
  ];
  for (const [body, expected] of cases) assert.equal(said(body), expected);
});

test('of HTML the title alone', () => {
  assert.equal(said('<!doctype html><title>Gate\nway</title><p>secret', 'text/plain'), 'an HTML page, "Gate way"');
  assert.equal(said('<p>x', 'text/html'), 'an HTML page');
});

test('long, deep and hostile bodies are cut and take no time', () => {
  assert.equal(said('x'.repeat(100_000)).length, 401);
  assert.match(said(`{"errors":${'['.repeat(20_000)}${']'.repeat(20_000)}}`), /^\{"errors":\[\[/);
  const began = process.cpuUsage();
  said('<title'.repeat(20_000), 'text/html');
  assert.ok(process.cpuUsage(began).user < 1_000_000);
});

test('tokens and secrets are taken out before anything is cut off', () => {
  const redactor = new Redactor();
  redactor.remember('s3cr+et');
  assert.equal(redactor.clean('a s3cr+et, s3cr%2Bet'), 'a [redacted], [redacted]');
  assert.equal(redactor.clean('x eyJhbGciOi.eyJzdWIi.abc-_ y'), 'x [redacted] y');
  assert.equal(redactor.clean('Authorization: bearer opaque/123=, z'), 'Authorization: [redacted], z');
});
