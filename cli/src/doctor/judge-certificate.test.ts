import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type CertificateRequest, createAuthority } from '@sidestream/pki';
import { type CertificateNeeds, judgeCertificate, judgeRecordingIdentity, judgeTrust } from './judge-certificate.js';

const now = new Date();
const days = (count: number) => new Date(now.getTime() + count * 24 * 3_600_000);
const authority = await createAuthority('Internal');
const stranger = await createAuthority('Stranger');
const trust = { where: 'grpc.tls.caFile', certificates: [new X509Certificate(authority.certificate)] };
const needs: CertificateNeeds = {
  ...{ where: 'grpc.tls.certFile', usages: ['client', 'server'], names: ['relay.pod.example', '192.0.2.1'], trust },
};
const good: CertificateRequest = {
  ...{ commonName: 'service', dnsNames: ['*.pod.example'], ipAddresses: ['192.0.2.1'], notAfter: days(90) },
};

async function judged(request: Partial<CertificateRequest>, more: Partial<CertificateNeeds> = {}, issuer = authority) {
  const { certificate, key } = await issuer.issue({ ...good, ...request });
  return judgeCertificate(certificate, key, { ...needs, ...more }, now);
}

test('a certificate that can do what it is for says until when', async () => {
  const [finding, ...more] = await judged({});
  assert.deepEqual([finding?.state, more], ['ok', []]);
  assert.match(finding?.what ?? '', /^'CN=service', good until \d{4}-\d\d-\d\d$/);
});

test('each thing that is wrong is one finding, with its cure', async () => {
  const cases: [request: Partial<CertificateRequest>, state: string, what: RegExp, more?: Partial<CertificateNeeds>][] =
    [
      [{ notAfter: days(-1) }, 'fail', /^the certificate expired on /],
      [{ notAfter: days(20) }, 'warn', /^the certificate expires within 30 days, /],
      [{ usages: 'client' }, 'fail', /^it lacks the extended key usage serverAuth$/],
      [
        { dnsNames: ['other.test'] },
        'fail',
        /^it is not for relay\.pod\.example \(its names: DNS:other\.test, IP Address:192/,
      ],
      [{ ipAddresses: [] }, 'fail', /^it is not for 192\.0\.2\.1 /],
      [{}, 'fail', /^its key is ec: Entra takes RSA$/, { rsa: true }],
    ];
  for (const [request, state, what, more] of cases) {
    const [finding, ...others] = await judged(request, more);
    assert.deepEqual([finding?.state, others], [state, []], String(what));
    assert.match(finding?.what ?? '', what);
    assert.ok((finding?.todo ?? '').length > 10, String(what));
  }
  const [foreign] = await judged({}, {}, stranger);
  assert.equal(foreign?.state, 'fail');
  assert.match(foreign?.what ?? '', /^no authority of grpc\.tls\.caFile has signed it: 'CN=Stranger' has$/);
});

test('a key of another certificate, and what is no PEM, are told without a word of the key', async () => {
  const [one, other] = [await authority.issue(good), await authority.issue(good)];
  for (const key of [other.key, other.certificate]) {
    const findings = judgeCertificate(one.certificate, key, needs, now);
    assert.deepEqual(
      findings.map(({ state }) => state),
      ['fail'],
    );
    assert.ok(!JSON.stringify(findings).includes('PRIVATE'));
  }
  assert.match(judgeCertificate('hello', one.key, needs, now)[0]?.what ?? '', /no certificate/);
});

test('a recording identity of a private authority is a warning where the recorder is a documented one', async () => {
  const { certificate, key } = await authority.issue({ ...good, usages: 'client' });
  const where = 'tenants.contoso.recording.identity';
  const [documented] = judgeRecordingIdentity(certificate, key, { where, roots: undefined, now });
  assert.equal(documented?.state, 'warn');
  assert.match(documented?.what ?? '', /no public authority that we know/);
  const [own] = judgeRecordingIdentity(certificate, key, { where, roots: trust.certificates, now });
  assert.equal(own?.state, 'ok');
  const server = await authority.issue({ ...good, usages: 'server' });
  const [unfit] = judgeRecordingIdentity(server.certificate, server.key, { where, roots: trust.certificates, now });
  assert.match(`${unfit?.state} ${unfit?.what}`, /^warn .*clientAuth/);
});

test('authorities to trust: counted; expired ones are told, and fail when there is no other', async () => {
  const where = 'nats.tls.caFile';
  const later = days(3_650);
  assert.deepEqual(judgeTrust(authority.certificate + stranger.certificate, where, now), [
    { state: 'ok', where, what: '2 authorities' },
  ]);
  assert.equal(judgeTrust(authority.certificate, where, later)[0]?.state, 'fail');
  assert.equal(judgeTrust('', where, now)[0]?.state, 'fail');
});
