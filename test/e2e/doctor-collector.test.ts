// `sidestream doctor --only collector`: a collector that takes traces, and what keeps others from it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freeTcpPort } from '@sidestream/peers';
import { z } from 'zod';
import { runCli } from './run-cli.js';

const host = '127.0.0.1';
const token = 'the-token-of-the-collector';
const report = z.object({
  checks: z.array(z.object({ name: z.string(), state: z.string(), where: z.string(), what: z.string() })),
});

/** A collector that knows the token; what it was sent. */
async function startCollector(t: TestContext): Promise<{ endpoint: string; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (text: Buffer) => {
      body += text;
    });
    request.on('end', () => {
      bodies.push(body);
      if (request.headers.authorization !== `Bearer ${token}`) response.writeHead(401).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
    });
  });
  await new Promise<void>((listening) => server.listen(0, host, listening));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { endpoint: `http://${host}:${address.port}/v1/traces`, bodies };
}

/** What the doctor finds of this collector, with these header fields. */
async function found(t: TestContext, endpoint: string, headers: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-doctor-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'sidestream.yaml');
  writeFileSync(join(folder, 'headers'), headers, { mode: 0o600 });
  const rest = { nats: { servers: [`nats://${host}:4222`] }, regions: {}, tenants: {}, trunks: {} };
  const telemetry = { traces: { endpoint, headersFile: 'headers' } };
  writeFileSync(
    file,
    JSON.stringify({ ...rest, signalling: {}, mediaRelay: { rtpengine: { ng: `${host}:22222` } }, telemetry }),
  );
  const { code, stdout, stderr } = await runCli(['doctor', '-c', file, '--json', '--only', 'collector'], {
    timeoutMs: 60_000,
  });
  assert.doesNotMatch(`${stdout}${stderr}`, /the-token|forged-token/, 'no secret is printed');
  const [first, ...others] = report.parse(JSON.parse(stdout)).checks;
  assert.deepEqual(others, [], stdout);
  return `${code} ${first?.state} ${first?.where}: ${first?.what}`;
}

test('a collector gets an empty export with our header fields, and takes it', async (t) => {
  const { endpoint, bodies } = await startCollector(t);
  assert.match(
    await found(t, endpoint, `Authorization: Bearer ${token}\n`),
    /^0 ok telemetry\.traces\.endpoint: http:\S+ takes traces, in \d+ ms$/,
  );
  assert.deepEqual(bodies, ['{"resourceSpans":[]}']);
});

test('a token that it refuses, header fields that are none, and nobody there are told', async (t) => {
  const { endpoint, bodies } = await startCollector(t);
  assert.match(await found(t, endpoint, 'Authorization: Bearer forged-token\n'), /^1 fail .*endpoint: .* answers 401/);
  assert.match(
    await found(t, endpoint, 'Bearer forged-token\n'),
    /^1 fail telemetry\.traces\.headersFile: .*line 1 is not 'Name: value'/,
  );
  assert.equal(bodies.length, 1);
  const nobody = `http://${host}:${await freeTcpPort(host)}/v1/traces`;
  assert.match(await found(t, nobody, ''), /^1 fail telemetry\.traces\.endpoint: .*ECONNREFUSED/);
});
