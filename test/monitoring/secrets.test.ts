// A whole deployment with every kind of secret in use, its logs as talkative as can be: none of them, and no number of a party, is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { customerNumber, numbers } from '../e2e/stage.js';
import { managementOf } from './every-service.js';
import { SecretiveStage } from './secretive-stage.js';
import { findSecrets, type Known } from './secrets.js';

const natsSeed = `SU${'AB3C'.repeat(14)}`;

test('each kind of secret is found where it is planted', () => {
  const known: Known[] = [
    ['a key of SRTP in use', 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'],
    ['the client secret', 'client-secret-4711'],
    ['the password of the trunk', 'password-4711'],
    ['the token of the user of NATS', 'header.of-the-user.signature'],
    ...numbers,
  ];
  const planted: [what: string, text: string][] = [
    [
      'an SDES key (RFC 4568)',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20',
    ],
    ['a key of SRTP in use', '{"master":"d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"}'],
    ['a private key', '-----BEGIN EC PRIVATE KEY-----'],
    ['a JSON Web Token', '{"t":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLWl0"}'],
    ['a seed of NATS', `-----BEGIN USER NKEY SEED-----\n${natsSeed}\n`],
    ['the token of the user of NATS', '{"jwt":"header.of-the-user.signature"}'],
    ['a digest response (RFC 7616)', 'Digest username="pbx", response="6629fae49393a05397450978507c4ef1"'],
    ['credentials of HTTP', '"authorization":"Bearer opaque-token"'],
    ['the client secret', 'client_secret=client-secret-4711'],
    ['the password of the trunk', '{"user":"pbx","with":"password-4711"}'],
    ...['+4915112345678', '004915112345678', '015112345678', '0151/12345678', '(0151) 1234-5678', '01511 2345678'].map(
      (number): [string, string] => ['the number of the customer', `sip:${number}@carrier`],
    ),
    ...['+493012345001', '030 12345001', '(030) 123450-01', '030.12345001'].map((number): [string, string] => [
      'the number of the seller',
      `{"to":"${number}"}`,
    ]),
  ];
  for (const [what, text] of planted)
    assert.deepEqual(findSecrets([['log', `{"msg":"before"}\n${text}\n`]], known), [{ what, where: 'log' }], text);
  assert.deepEqual(findSecrets([['log', '{"authorization":"[redacted]","inline":"[redacted]"}']], known), []);
});

test('no secret and no number is in logs, traces and metrics; no secret is in streams, stores and record files', async (t) => {
  const scene = await SecretiveStage.start(t);
  if (!scene) return;
  const { stage, lines, token, collector } = scene;
  const { laboratory } = stage;
  const gateway = laboratory.deployment.status.addresses['gateway.http'];
  const ask = (path: string, bearer = token) =>
    fetch(`${gateway}${path}`, { headers: { authorization: `Bearer ${bearer}` }, signal: AbortSignal.timeout(20_000) });

  // As E.164, and in the form of the country.
  const dialled = [
    [listedSeller.number, customerNumber],
    ['03012345001', '015112345678'],
  ] as const;
  for (const [index, [number, from]] of dialled.entries()) {
    const call = await scene.call(number, from);
    await eventually(() => laboratory.recorder.active === 1, 'the call is recorded');
    assert.equal((await ask('/api/v1/calls?reveal=true')).status, 200);
    assert.equal((await ask('/api/v1/calls', `${token.slice(0, -8)}AAAAAAAA`)).status, 401);
    await call.hangUp();
    await eventually(() => collector.named('call').length > index, 'its trace has come', 30_000);
    const published = () => laboratory.metric('signalling', 'sidestream_call_records_published_total');
    await eventually(async () => (await published()) === index + 1, 'its record is published');
  }
  const metrics: [string, string][] = [];
  for (const [name, url] of managementOf(stage))
    for (const path of ['/metrics', '/readyz'])
      metrics.push([
        `${name} ${path}`,
        await (await fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) })).text(),
      ]);

  const services = new Set(lines.map((line) => /"service":"([^"]+)"/.exec(line)?.[1]));
  for (const [name] of managementOf(stage)) assert.ok(services.has(name), `${name} has logged nothing`);
  assert.ok(collector.bodies.length > 0 && metrics.length > 0);
  const told: [string, string][] = [
    ...lines.map((line): [string, string] => [`log: ${line.slice(0, 300)}`, line]),
    ...collector.bodies.map((body): [string, string] => ['trace', body]),
    ...metrics,
  ];
  const secrets = scene.secrets();
  assert.deepEqual(findSecrets(told, [...secrets, ...numbers]), []);

  // Records and events name the parties, as docs/call-records.md says.
  const kept = scene.kept();
  const read = findSecrets(kept, numbers).map(({ what }) => what);
  assert.deepEqual([...new Set(read)].sort(), numbers.map(([what]) => what).sort(), 'what is kept has been read');
  assert.deepEqual(findSecrets(kept, secrets), []);
});
