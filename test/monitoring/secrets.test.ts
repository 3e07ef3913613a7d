// A whole deployment with every kind of secret in use, its logs as talkative as can be: none of them, and no number of a party, is told.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { IssuerSimulator } from '@sidestream/simulators';
import { serialiseMessage } from '@sidestream/sip';
import { customerNumber, Stage } from '../e2e/stage.js';
import { managementOf } from './every-service.js';
import { findSecrets } from './secrets.js';
import { TraceCollector } from './trace-collector.js';

const providerSecret = 'client-secret-of-this-test-4711';

function filesUnder(directory: string): [string, string][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'latin1')]);
}

test('each kind of secret is found where it is planted', () => {
  const planted = {
    'an SDES key (RFC 4568)': 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj',
    'a private key': '-----BEGIN EC PRIVATE KEY-----',
    'a JSON Web Token': '{"t":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLWl0"}',
    'a digest response (RFC 7616)': 'Digest username="pbx", response="6629fae49393a05397450978507c4ef1"',
    'credentials of HTTP': '"authorization":"Bearer opaque-token"',
    'the client secret': `client_secret=${providerSecret}`,
    'the number of the customer': `sip:${customerNumber}@carrier`,
  };
  const known: [string, string][] = [
    ['the client secret', providerSecret],
    ['the number of the customer', customerNumber.slice(1)],
  ];
  for (const [what, text] of Object.entries(planted))
    assert.deepEqual(findSecrets([['log', `{"msg":"before"}\n${text}\n`]], known), [{ what, where: 'log' }]);
  assert.deepEqual(findSecrets([['log', '{"authorization":"[redacted]","inline":"[redacted]"}']], known), []);
});

test('no secret and no number is in logs, traces and metrics; no secret is in streams, stores and record files', async (t) => {
  const collector = await TraceCollector.start(t);
  const audience = 'api://sidestream';
  const issuer = await IssuerSimulator.start({ audience });
  t.after(() => issuer.close());
  const [records, natsStore] = ['records', 'nats'].map((name) => mkdtempSync(join(tmpdir(), `sidestream-${name}-`)));
  t.after(() => [records, natsStore].forEach((one) => void rmSync(one ?? '', { recursive: true, force: true })));
  const lines: string[] = [];
  const wire: string[] = [];
  let providerFile = '';
  const stage = await Stage.start(t, {
    provider: {},
    ...(natsStore && { natsStore }),
    onLog: (line) => lines.push(line),
    recorder: { onMessage: ({ message }) => wire.push(serialiseMessage(message).toString('latin1')) },
    configure: (config) => {
      config.log = { level: 'trace' };
      config.telemetry = { traces: { endpoint: collector.endpoint, sampleRatio: 1 } };
      config.signalling = { ...config.signalling, ...(records && { records: { directory: records } }) };
      config.gateway = { issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience }] };
      providerFile = config.tenants?.['contoso']?.provider?.clientSecretFile ?? '';
    },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const token = await issuer.mint({ oid: 'olga', roles: ['Sidestream.Operator'] });
  const gateway = laboratory.deployment.status.addresses['gateway.http'];
  const ask = (path: string, bearer = token) =>
    fetch(`${gateway}${path}`, { headers: { authorization: `Bearer ${bearer}` }, signal: AbortSignal.timeout(20_000) });

  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  assert.equal((await ask('/api/v1/calls?reveal=true')).status, 200);
  assert.equal((await ask('/api/v1/calls', `${token.slice(0, -8)}AAAAAAAA`)).status, 401);
  await call.customer.hangUp();
  await eventually(() => laboratory.bodies('callEnded').length === 1, 'the call is over');
  await eventually(() => collector.named('call').length === 1, 'its trace has come', 30_000);
  const published = () => laboratory.metric('signalling', 'sidestream_call_records_published_total');
  await eventually(async () => (await published()) === 1, 'its record is published');
  const metrics: [string, string][] = [];
  for (const [name, url] of managementOf(stage))
    for (const path of ['/metrics', '/readyz'])
      metrics.push([
        `${name} ${path}`,
        await (await fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) })).text(),
      ]);

  const keys = wire.flatMap((text) => [...text.matchAll(/inline:([A-Za-z0-9+/]{40})/g)].map(([, key = '']) => key));
  assert.ok(keys.length >= 4, 'keys of both sides were seen on the wire');
  const directory = dirname(laboratory.configFile);
  const pem = filesUnder(directory).filter(([name]) => name.endsWith('.key'));
  assert.ok(pem.length > 0 && providerFile !== '');
  const secrets: [string, string][] = [
    ...keys.map((key): [string, string] => ['a key of SRTP in use', key]),
    ...pem.map(([name, text]): [string, string] => [`the key of ${name}`, text.split('\n')[1] ?? text]),
    ['the client secret', readFileSync(join(directory, providerFile), 'utf8').trim()],
    ['a token', token],
  ];
  const numbers: [string, string][] = [
    ['the number of the customer', customerNumber.slice(1)],
    ['the number of the seller', listedSeller.number.slice(1)],
  ];
  const services = new Set(lines.map((line) => /"service":"([^"]+)"/.exec(line)?.[1]));
  for (const [name] of managementOf(stage)) assert.ok(services.has(name), `${name} has logged nothing`);
  assert.ok(collector.bodies.length > 0 && metrics.length > 0);
  const told: [string, string][] = [
    ...lines.map((line): [string, string] => [`log: ${line.slice(0, 300)}`, line]),
    ...collector.bodies.map((body): [string, string] => ['trace', body]),
    ...metrics,
  ];
  assert.deepEqual(findSecrets(told, [...secrets, ...numbers]), []);

  // Records and events name the parties, as docs/call-records.md says.
  const kept = [...filesUnder(natsStore ?? ''), ...filesUnder(records ?? '')];
  assert.ok(
    kept.some(([, text]) => text.includes(customerNumber.slice(1))),
    'what is kept has been read',
  );
  assert.deepEqual(findSecrets(kept, secrets), []);
});
