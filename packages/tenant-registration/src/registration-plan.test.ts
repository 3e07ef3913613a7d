import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAuthority } from '@sidestream/pki';
import fc from 'fast-check';
import { contentHash, mergePatch } from './registration-body.js';
import { obstacle, planRegistration, type TenantMaterial, type TenantSettings } from './registration-plan.js';
import {
  isAccepted,
  type RegistrationRecord,
  reasonToRegister,
  registrationRecordSchema,
} from './registration-record.js';

const authority = await createAuthority('Simulated CA');
const made = await authority.issue({ commonName: 'sbc.example.com', usages: 'client' });
const now = new Date();

const settings: TenantSettings = {
  organizationId: 'ad3dca46-962a-4895-9f85-d25f3828781f',
  accountId: 'AC0123',
  hosting: 'cloud',
  displayName: 'Sidestream',
  sourceIpNetwork: '0.0.0.0',
  certificateForm: 'dotnet',
  apiBaseUrl: 'https://api.example',
  authority: 'https://login.example',
  entraTenantId: 'contoso.example',
  clientId: '11111111-1111-4111-8111-111111111111',
};
const material: TenantMaterial = { certificate: made.certificate, key: made.key };

const plan = (more: Partial<TenantSettings> = {}, files: Partial<TenantMaterial> = {}) =>
  planRegistration({ ...settings, ...more }, { ...material, ...files }, now);

function accepted(of: ReturnType<typeof plan>): RegistrationRecord {
  const { subject = '', issuer = '', fingerprint256 = '' } = of.identity ?? {};
  const { contentHash: hash, digests } = of;
  return {
    accepted: {
      contentHash: hash,
      digests: { ...digests },
      outcome: 'registered',
      at: now.toISOString(),
      subject,
      issuer,
      fingerprint256,
    },
  };
}

describe('the body', () => {
  test('has exactly the documented keys, in their order and case', () => {
    assert.equal(
      JSON.stringify(plan().body),
      '{"orgId":"ad3dca46-962a-4895-9f85-d25f3828781f","Type":"custom","hosting":"cloud","displayName":"Sidestream",' +
        '"AuthenticationDetails":{"AccountId":"AC0123","CertificateSubjectName":"CN=sbc.example.com",' +
        '"CertificateIssuer":"CN=Simulated CA","SourceIPNetwork":"0.0.0.0"}}',
    );
    assert.equal(plan().url, 'https://api.example/api/v1.0/providers/tenants');
  });

  test('has the names in the form that is configured', () => {
    const { AuthenticationDetails: details } = plan({ certificateForm: 'cn' }).body ?? {};
    assert.deepEqual(details, {
      AccountId: 'AC0123',
      CertificateSubjectName: 'sbc.example.com',
      CertificateIssuer: 'Simulated CA',
      SourceIPNetwork: '0.0.0.0',
    });
  });

  test('a template replaces, extends and, by null, removes keys', () => {
    const template = '{"Type":"Custom2","AuthenticationDetails":{"SourceIPNetwork":null,"Thumbprint":"00"},"more":[1]}';
    assert.deepEqual(plan({}, { template }).body, {
      orgId: settings.organizationId,
      Type: 'Custom2',
      hosting: 'cloud',
      displayName: 'Sidestream',
      AuthenticationDetails: {
        AccountId: 'AC0123',
        CertificateSubjectName: 'CN=sbc.example.com',
        CertificateIssuer: 'CN=Simulated CA',
        Thumbprint: '00',
      },
      more: [1],
    });
  });

  test('a template that is no JSON object, files without a certificate and an expired one forbid to register', async () => {
    assert.match(obstacle(plan({}, { template: '[]' })) ?? '', /bodyTemplateFile: it must be a JSON object/);
    assert.match(obstacle(plan({}, { template: '{' })) ?? '', /bodyTemplateFile: it is no JSON/);
    assert.match(obstacle(plan({}, { certificate: 'nothing' })) ?? '', /certFile: there is no certificate/);
    const expired = await authority.issue({ commonName: 'sbc', notAfter: new Date(now.getTime() - 1) });
    assert.match(obstacle(plan({}, expired)) ?? '', /expired/);
    assert.equal(obstacle(plan()), undefined);
  });
});

test('a source network is passed on as it is, with a warning where the documentation is silent', () => {
  const codes = (sourceIpNetwork: string) =>
    plan({ sourceIpNetwork })
      .findings.map(({ code }) => code)
      .filter((code) => code.startsWith('source'));
  assert.deepEqual(codes('0.0.0.0'), []);
  assert.deepEqual(codes('203.0.113.7'), []);
  assert.deepEqual(codes('203.0.113.0/24'), ['source-network-undocumented']);
  assert.deepEqual(codes('10.1.2.3'), ['source-network-not-public']);
  assert.deepEqual(codes('fd00::1'), ['source-network-not-public']);
  assert.deepEqual(
    Object.hasOwn(plan({ sourceIpNetwork: '203.0.113.0/24' }).digests, 'AuthenticationDetails.SourceIPNetwork'),
    true,
  );
});

describe('whether to register', () => {
  test('never accepted, accepted, changed', async () => {
    assert.equal(reasonToRegister({}, plan()), 'never registered');
    const record = accepted(plan());
    assert.equal(reasonToRegister(record, plan()), undefined);
    assert.equal(
      reasonToRegister(record, plan({ displayName: 'Other', clientId: settings.accountId })),
      'displayName, provider clientId changed',
    );
    assert.equal(
      reasonToRegister(record, plan({}, { template: '{"hosting":null,"x":{"y":1}}' })),
      'hosting, x.y changed',
    );
    const other = await (await createAuthority('Other CA')).issue({ commonName: 'sbc.example.com' });
    assert.equal(reasonToRegister(record, plan({}, other)), 'AuthenticationDetails.CertificateIssuer changed');
  });

  test('a renewed certificate of the same names needs no registration, and its names are accepted already', async () => {
    const record = accepted(plan());
    const renewed = plan({}, await authority.issue({ commonName: 'sbc.example.com' }));
    assert.equal(reasonToRegister(record, renewed), undefined);
    assert.ok(renewed.identity && isAccepted(record, renewed.identity));
    assert.ok(renewed.identity && !isAccepted({}, renewed.identity));
  });

  test('a record survives its way through NATS, and shows no value of the body', () => {
    const record = accepted(plan({}, { template: '{"secret":"hush"}' }));
    const text = JSON.stringify(record);
    assert.deepEqual(registrationRecordSchema.parse(JSON.parse(text)), record);
    assert.doesNotMatch(text, /hush/);
  });
});

const json = fc.dictionary(fc.string(), fc.jsonValue());

test('the hash does not depend on the order of keys, and tells all else apart', () => {
  fc.assert(
    fc.property(json, (value) => {
      const turned = Object.fromEntries(Object.entries(value).toReversed());
      assert.equal(contentHash(turned), contentHash(value));
      assert.notEqual(contentHash({ ...value, more: 1 }), contentHash({ ...value, more: 2 }));
    }),
  );
});

test('RFC 7396: a patch applied to its own result changes nothing more', () => {
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const once = mergePatch(target, patch);
      assert.deepEqual(mergePatch(once, patch), once);
    }),
  );
});
