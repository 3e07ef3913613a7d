// An issuer behind a private authority: a real TLS server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Authority, CredentialFolder, createAuthority } from '@sidestream/pki';
import { createLogger } from '@sidestream/service';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { IssuerTokens } from './tokens.js';

const audience = 'sidestream';

/** An issuer whose certificate this authority has signed, a token of it, and who verifies that with the trust of a file. */
async function issuerOf(t: TestContext, authority: Authority) {
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const { certificate, key } = await authority.issue({ commonName: 'issuer', dnsNames: ['localhost'] });
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' }] };
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const document = request.url === '/jwks' ? keys : { issuer, jwks_uri: `${issuer}/jwks` };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  }).listen(0, 'localhost');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const token = await new SignJWT({ oid: 'ada' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('5m')
    .sign(privateKey);
  const trustFile = join(folder.directory, 'trust.pem');
  const lines: string[] = [];
  const log = createLogger({
    ...{ name: 'gateway', instance: 'test', level: 'info' },
    destination: { write: (line) => lines.push(line) },
  });
  /** Who the token is of, or why it is refused, and what the log says of that. */
  const verifierOf = (trust?: string) => {
    const claims = { sellerClaim: 'oid', operatorRole: 'Sidestream.Operator' };
    return new IssuerTokens([{ tenant: 'contoso', issuer, audience, ...claims, trustFile: trust }], log);
  };
  const verify = async (tokens = verifierOf(trustFile)) => {
    lines.length = 0;
    const outcome = await tokens.verify(token).then(
      ({ seller }) => seller,
      ({ reason }: { reason: string }) => reason,
    );
    assert.ok(!lines.some((line) => line.includes(token)), 'a token is in the log');
    return { outcome, told: lines.map((line) => JSON.parse(line).reason as string) };
  };
  return { issuer, trustFile, verifierOf, verify, write: (pem: string) => writeFile(trustFile, pem) };
}

test('keys are fetched of an issuer whose authority is in its trustFile', async (t) => {
  const authority = await createAuthority('Private');
  const { verify, write } = await issuerOf(t, authority);
  await write(authority.certificate);
  assert.deepEqual(await verify(), { outcome: 'ada', told: [] });
});

test('an issuer of another authority, or without a trustFile, is not asked; the log says which key to look at', async (t) => {
  const authority = await createAuthority('Private');
  const { issuer, trustFile, verifierOf, verify, write } = await issuerOf(t, authority);
  await write((await createAuthority('Other')).certificate);
  for (const trust of [undefined, trustFile]) {
    const { outcome, told } = await verify(verifierOf(trust));
    assert.equal(outcome, 'issuer-unavailable');
    assert.match(
      told[0] ?? '',
      new RegExp(`^${issuer}/.*: who signed its certificate must be in gateway.issuers.0.trustFile$`),
    );
  }
});

test('a trustFile that is gone, or is none, is named; one that is mended counts without a restart', async (t) => {
  const authority = await createAuthority('Private');
  const { trustFile, verifierOf, verify, write } = await issuerOf(t, authority);
  const tokens = verifierOf(trustFile);
  const missing = await verify(tokens);
  assert.equal(missing.outcome, 'issuer-unavailable');
  assert.match(
    missing.told[0] ?? '',
    new RegExp(`^gateway.issuers.0.trustFile: '${trustFile}' is not readable .*ENOENT`),
  );
  await write('no certificate');
  assert.match((await verify()).told[0] ?? '', /^gateway.issuers.0.trustFile: .* is not readable as certificates/);
  await write(authority.certificate);
  assert.equal((await verify(tokens)).outcome, 'ada');
});
