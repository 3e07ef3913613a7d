import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { createAuthority } from '@sidestream/pki';
import { namesOf, parseName } from './distinguished-name.js';
import { type NameForm, writeName } from './name-form.js';

/** Encoded names, and what .NET's own tests expect of X500DistinguishedName (forwards there, the last RDN first here). */
const dotnetVectors: readonly (readonly [encoded: string, printed: string])[] = [
  ['30223120300C060355040313054A616D65733010060355040A13094D6963726F736F6674', 'CN=James + O=Microsoft'],
  ['30183116301406052901020203130B496E76616C6964204F6964', 'OID.1.1.1.2.2.3=Invalid Oid'],
  ['3017311530130603550403130C20436F6D6D6F6E204E616D65', 'CN=" Common Name"'],
  ['30233121301F06035504031E1800090043006F006D006D006F006E0020004E0061006D0065', 'CN="\tCommon Name"'],
  ['30233121301F06035504031E180043006F006D006D006F006E0020004E0061006D0065000D', 'CN="Common Name\r"'],
  ['30233121301F06035504031E1820020043006F006D006D006F006E0020004E0061006D0065', 'CN=\u2002Common Name'],
  ['300B3109300706035504031300', 'CN=""'],
  ['3016311430120603550403130B436F6D6D6F6E2C4E616D65', 'CN="Common,Name"'],
  ['3016311430120603550403130B436F6D6D6F6E2B4E616D65', 'CN="Common+Name"'],
  ['3021311F301D06035504031E160043006F006D006D006F006E000D004E0061006D0065', 'CN=Common\rName'],
  ['3021311F301D06035504031E160043006F006D006D006F006E000A004E0061006D0065', 'CN="Common\nName"'],
  ['3021311F301D06035504031E160043006F006D006D006F006E003B004E0061006D0065', 'CN="Common;Name"'],
  ['3021311F301D06035504031E160043006F006D006D006F006E0022004E0061006D0065', 'CN="Common""Name"'],
  ['30233121301F06035504031E1800220043006F006D006D006F006E0020004E0061006D0065', 'CN="""Common Name"'],
  [
    '30283117301506052901020203120C313233203635342037383930310D300B0603550403130454657374',
    'CN=Test, OID.1.1.1.2.2.3=123 654 7890',
  ],
  ['301C311A300B060355040B13047A7A7A7A300B060355040B130461616161', 'OU=zzzz + OU=aaaa'],
  // C=US, S=Washington, L=Redmond, O, OU, CN=localhost and, encoded last, an object identifier as a value.
  [
    '308198310B3009060355040613025553311330110603550408130A57617368696E67746F6E3110300E060355040713075265646D6F6E64311E301C060355040A13154D6963726F736F667420436F72706F726174696F6E3120301E060355040B13172E4E4554204672616D65776F726B2028436F7265465829311230100603550403130' +
      '96C6F63616C686F7374310C300A060355046A06032A0304',
    'OID.2.5.4.106=#06032A0304, CN=localhost, OU=.NET Framework (CoreFX), O=Microsoft Corporation, L=Redmond, S=Washington, C=US',
  ],
];

const written = (hex: string, form: NameForm) => writeName(parseName(Buffer.from(hex, 'hex')), form);

describe('form dotnet: what X509Certificate2.Subject prints', () => {
  for (const [encoded, printed] of dotnetVectors) {
    test(JSON.stringify(printed), () => assert.equal(written(encoded, 'dotnet'), printed));
  }
});

/** C=US, then an RDN of CN and O, then n3=840, as encoded in .NET's EnumerateWithMultiValueRdn. */
const mixed =
  '303D310B30090603550406130255533120300C060355040313054A616D65733010060355040A13094D6963726F736F6674310C300A0603550463120' +
  '3383430';

describe('form rfc4514', () => {
  test('§2.1: the last RDN first, values of one RDN by plus, no blanks; §2.4: an unknown type is dotted, its value encoded', () => {
    assert.equal(written(mixed, 'rfc4514'), '2.5.4.99=#1203383430,CN=James+O=Microsoft,C=US');
  });

  test('§2.4: blanks at the ends and special characters are escaped', () => {
    assert.equal(written('3017311530130603550403130C20436F6D6D6F6E204E616D65', 'rfc4514'), 'CN=\\ Common Name');
    assert.equal(written('3017311530130603550403130C436F6D6D6F6E204E616D6520', 'rfc4514'), 'CN=Common Name\\ ');
    assert.equal(written('3016311430120603550403130B436F6D6D6F6E2C4E616D65', 'rfc4514'), 'CN=Common\\,Name');
    assert.equal(written('300C310A3008060355040313012F', 'rfc4514'), 'CN=/');
    assert.equal(written('300C310A30080603550403130120', 'rfc4514'), 'CN=\\ ');
    assert.equal(written('300E310C300A06035504030C03233030', 'rfc4514'), 'CN=\\#00');
  });
});

describe('form cn', () => {
  test('is the common name as it is, of whatever RDN', () => {
    assert.equal(written(mixed, 'cn'), 'James');
    assert.equal(written('3016311430120603550403130B436F6D6D6F6E2C4E616D65', 'cn'), 'Common,Name');
  });

  test('a name without one, an empty one and no name at all have none', () => {
    assert.equal(written('300D310B3009060355040613025553', 'cn'), undefined);
    assert.equal(written('300B3109300706035504031300', 'cn'), undefined);
    for (const form of ['dotnet', 'rfc4514', 'cn'] as const) assert.equal(written('3000', form), undefined);
  });
});

test('the names of a certificate are its subject and its issuer', async () => {
  const authority = await createAuthority('Simulated CA, Inc.');
  const { certificate } = await authority.issue({ commonName: 'sbc.example.com' });
  const { subject, issuer } = namesOf(new X509Certificate(certificate).raw);
  assert.equal(writeName(subject, 'dotnet'), 'CN=sbc.example.com');
  assert.equal(writeName(issuer, 'dotnet'), 'CN="Simulated CA, Inc."');
  assert.equal(writeName(issuer, 'cn'), 'Simulated CA, Inc.');
});
