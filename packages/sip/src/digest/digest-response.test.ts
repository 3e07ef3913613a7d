import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DigestHash, digestResponse, formatAlgorithm, parseAlgorithm, sameDigest } from './algorithm.js';

const mufasa = {
  username: 'Mufasa',
  realm: 'http-auth@example.org',
  password: 'Circle of Life',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  method: 'GET',
  uri: '/dir/index.html',
  body: '',
  protection: { qop: 'auth', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', nc: 1 },
} as const;

const of = (hash: DigestHash, session = false) => ({ hash, session });

test('RFC 7616 §3.9.1: the example with MD5', () => {
  assert.equal(digestResponse({ ...mufasa, algorithm: of('MD5') }), '8ca523f5e9506fed4657c9700eebdbec');
});

test('RFC 7616 §3.9.1: the example with SHA-256', () => {
  const expected = '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1';
  assert.equal(digestResponse({ ...mufasa, algorithm: of('SHA-256') }), expected);
});

test('RFC 7616 §3.9.2: the example with SHA-512-256, which the RFC computed with a cut SHA-512 (erratum 4897)', () => {
  const input = {
    ...mufasa,
    username: 'Jäsøn Doe',
    realm: 'api@example.org',
    password: 'Secret, or not?',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    uri: '/doe.json',
    protection: { ...mufasa.protection, cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v' },
  };
  const expected = '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5';
  assert.equal(digestResponse({ ...input, algorithm: of('SHA-512-256') }), expected);
});

test('RFC 2617 §3.5: the example of the RFC before', () => {
  const input = {
    ...mufasa,
    realm: 'testrealm@host.com',
    password: 'Circle Of Life',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    protection: { qop: 'auth', cnonce: '0a4f113b', nc: 1 },
  } as const;
  assert.equal(digestResponse({ ...input, algorithm: of('MD5') }), '6629fae49393a05397450978507c4ef1');
});

test('RFC 8760 §2.6: auth-int of a request without a body hashes the empty string', () => {
  const input = { ...mufasa, protection: { ...mufasa.protection, qop: 'auth-int' }, algorithm: of('SHA-256') } as const;
  assert.equal(digestResponse(input), digestResponse({ ...input, body: Buffer.alloc(0) }));
  assert.notEqual(digestResponse(input), digestResponse({ ...input, body: 'v=0' }));
  assert.notEqual(digestResponse(input), digestResponse({ ...mufasa, algorithm: of('SHA-256') }));
});

test('RFC 7616 §3.4.2: a session key depends on both nonces', () => {
  const input = { ...mufasa, algorithm: of('SHA-256', true) };
  const other = { ...input, protection: { ...mufasa.protection, cnonce: 'another' } };
  assert.notEqual(digestResponse(input), digestResponse({ ...mufasa, algorithm: of('SHA-256') }));
  assert.notEqual(digestResponse(input), digestResponse(other));
});

test('algorithms: names in any case, MD5 where there is none, others unknown', () => {
  assert.deepEqual(parseAlgorithm('sha-256-SESS'), of('SHA-256', true));
  assert.deepEqual(parseAlgorithm(undefined), of('MD5'));
  for (const unknown of ['', 'SHA-512', 'AKAv1-MD5', 'MD5-sess-sess', '-sess'])
    assert.equal(parseAlgorithm(unknown), undefined);
  assert.equal(formatAlgorithm(of('SHA-512-256', true)), 'SHA-512-256-sess');
});

test('a comparison takes digits in any case, and texts of any length', () => {
  assert.equal(sameDigest('AB12', 'ab12'), true);
  for (const wrong of ['', 'ab1', 'ab123', 'ab13', 'äb12']) assert.equal(sameDigest(wrong, 'ab12'), false);
});
