import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { type CertificateRequest, createAuthority } from '@sidestream/pki';
import { checkIdentity, expiryThreshold, readIdentity, sameNames } from './recorder-identity.js';

const authority = await createAuthority('Simulated CA');
const roots = [new X509Certificate(authority.certificate)];
const day = 86_400_000;
const monthsAhead = new Date(Date.now() + 100 * day);

const issue = (more: Partial<CertificateRequest> = {}) =>
  authority.issue({ commonName: 'sbc', usages: 'client', notAfter: monthsAhead, ...more });

/** The codes of what is found, with the authority taken for a public one unless told otherwise. */
async function codes(more: Partial<CertificateRequest>, { key, now = new Date() }: { key?: string; now?: Date } = {}) {
  const made = await issue(more);
  return checkIdentity(readIdentity(made.certificate), key ?? made.key, now, roots).map(({ code }) => code);
}

describe('checkIdentity', () => {
  test('nothing is found wrong with a client certificate of a known authority', async () => {
    assert.deepEqual(await codes({}), []);
    assert.deepEqual(await codes({ usages: 'both' }), []);
  });

  test('a certificate for servers only lacks clientAuth', async () => {
    assert.deepEqual(await codes({ usages: 'server' }), ['no-client-auth']);
  });

  test('the end is told at 30, 7 and 1 days as a warning, and as an error once it has come', async () => {
    const now = (daysLeft: number) => ({ now: new Date(monthsAhead.getTime() - daysLeft * day) });
    assert.deepEqual(await codes({}, now(31)), []);
    assert.deepEqual(await codes({}, now(29)), ['certificate-expiring']);
    assert.deepEqual(await codes({}, now(0.5)), ['certificate-expiring']);
    const made = await issue();
    const [found] = checkIdentity(
      readIdentity(made.certificate),
      made.key,
      new Date(monthsAhead.getTime() + day),
      roots,
    );
    assert.deepEqual([found?.severity, found?.code], ['error', 'certificate-expired']);
    assert.match(found?.text ?? '', new RegExp(monthsAhead.toISOString().slice(0, 10)));
  });

  test('a certificate of the future is told', async () => {
    assert.deepEqual(await codes({}, { now: new Date(Date.now() - 2 * day) }), ['certificate-not-yet-valid']);
  });

  test('a key of another certificate and a key that is none are errors', async () => {
    const other = await issue();
    assert.deepEqual(await codes({}, { key: other.key }), ['key-mismatch']);
    assert.deepEqual(await codes({}, { key: 'no key' }), ['key-unreadable']);
  });

  test('self-signed, of a private authority, and without its chain are told apart', async () => {
    const made = await issue();
    const found = (pem: string) => checkIdentity(readIdentity(pem), made.key, new Date()).map(({ code }) => code);
    assert.deepEqual(found(made.certificate), ['chain-incomplete']);
    assert.deepEqual(found(made.certificate + made.trust), ['private-authority']);
    assert.ok(found(authority.certificate).includes('self-signed'));
  });

  test('every authority of Node is one that recorders are supposed to know', async () => {
    const made = await issue();
    const [root = ''] = rootCertificates;
    // Its chain does not lead there, so the stranger in the file changes nothing.
    const found = checkIdentity(readIdentity(made.certificate + root), made.key, new Date());
    assert.deepEqual(
      found.map(({ code }) => code),
      ['chain-incomplete'],
    );
  });
});

test('expiryThreshold is the last one passed', () => {
  const now = new Date('2026-11-26T00:00:00Z');
  const inDays = (days: number) => expiryThreshold(new Date(now.getTime() + days * day), now);
  assert.deepEqual([31, 30, 8, 7, 2, 1, 0.1, 0, -1].map(inDays), [undefined, 30, 30, 7, 7, 1, 1, 0, 0]);
});

test('a renewal keeps the names and changes the fingerprint; another authority changes the names', async () => {
  const [first, renewed] = [readIdentity((await issue()).certificate), readIdentity((await issue()).certificate)];
  assert.notEqual(first.fingerprint256, renewed.fingerprint256);
  assert.ok(sameNames(first, renewed));
  const other = await (await createAuthority('Other CA')).issue({ commonName: 'sbc' });
  assert.ok(!sameNames(first, readIdentity(other.certificate)));
});

test('a text without a certificate and a broken one are refused with what is wrong', async () => {
  assert.throws(() => readIdentity(''), /no certificate/);
  assert.throws(
    () => readIdentity('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'),
    /certificate 1 of 1/,
  );
  const { certificate } = await issue();
  const half = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
  assert.throws(() => readIdentity(certificate + half), /certificate 2 of 2/);
});
