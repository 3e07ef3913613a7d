import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FarSide, farHeaders } from './far-headers.js';
import { readParties } from './parties.js';

const usual: FarSide = {
  believed: true,
  trusted: true,
  own: '192.0.2.1',
  to: 'sip:x@192.0.2.2',
  maxForwards: 69,
  passHeaders: ['Identity'],
  number: (user) => user,
};

function invite(headers: Record<string, string>) {
  return { requestUri: 'sip:+15550001@sbc', header: (name: string) => headers[name] };
}

const caller = {
  from: '"Ann" <sip:+15559999@10.9.8.7>;tag=1',
  'p-asserted-identity': '"Ann" <sip:+15558888@10.9.8.7>',
};

test('RFC 3325 §5: what an untrusted trunk asserts is neither passed on nor believed', () => {
  const headers = farHeaders(invite(caller), { ...usual, believed: false });
  assert.equal(headers['P-Asserted-Identity'], undefined);
  assert.equal(headers['From'], '"Ann" <sip:+15559999@192.0.2.1>');
  const { calling, callingUris } = readParties(invite(caller), false);
  assert.deepEqual([calling.user, callingUris], ['+15559999', ['sip:+15559999@10.9.8.7']]);
  assert.equal(readParties(invite(caller)).calling.user, '+15558888');
});

test('RFC 3325 §7: with Privacy: id an untrusted trunk learns nothing of the caller, a trusted one all of it', () => {
  const asked = {
    ...caller,
    privacy: 'id',
    diversion: '<sip:+15550000@10.9.8.7>',
    'history-info': '<sip:+1@a>;index=1',
  };
  const outside = farHeaders(invite(asked), { ...usual, trusted: false });
  assert.doesNotMatch(JSON.stringify(outside), /Ann|15559999|15558888|15550000|10\.9/);
  assert.equal(outside['From'], '"Anonymous" <sip:anonymous@anonymous.invalid>');
  assert.equal(outside['Privacy'], 'id');
  const inside = farHeaders(invite(asked), usual);
  assert.equal(inside['P-Asserted-Identity'], '"Ann" <sip:+15558888@192.0.2.1>');
  assert.equal(inside['Diversion'], '<sip:+15550000@192.0.2.1>');
  const open = farHeaders(invite({ ...asked, privacy: 'none' }), { ...usual, trusted: false });
  assert.equal(open['P-Asserted-Identity'], '"Ann" <sip:+15558888@192.0.2.1>');
});

const history =
  '<sip:+15550000@10.9.8.7:5080;user=phone;cause=302?Reason=SIP%3Bcause%3D302&Route=%3Csip:10.9.8.7%3E>;index=1,' +
  '<sip:vm@10.9.8.8?Privacy=history>;index=1.1;mp=1, <tel:+15551111>;index=1.2, <urn:x:10.9.8.7>;index=2, nonsense';

test('RFC 7044: History-Info passes with its indexes, reasons and causes, and without a host of the near side', () => {
  const headers = farHeaders(invite({ ...caller, 'history-info': history }), usual);
  assert.deepEqual(String(headers['History-Info']).split(', '), [
    '<sip:+15550000@192.0.2.1;cause=302?Reason=SIP%3Bcause%3D302>;index=1',
    '<sip:vm@192.0.2.1?Privacy=history>;index=1.1;mp=1',
    '<tel:+15551111>;index=1.2',
  ]);
});

test('RFC 7044 §10.1.2: entries that want privacy, or all if the call does, stay inside the trust domain', () => {
  const outside = { ...usual, trusted: false };
  const entries = farHeaders(invite({ ...caller, 'history-info': history }), outside)['History-Info'];
  assert.doesNotMatch(String(entries), /vm@/);
  assert.match(String(entries), /15550000.*15551111/);
  const all = farHeaders(invite({ ...caller, 'history-info': history, privacy: 'history' }), outside);
  assert.equal(all['History-Info'], undefined);
});

test('RFC 5806: who diverted the call and wants privacy is told to a trusted trunk alone', () => {
  const diversion = '<sip:+15550000@a>;reason=no-answer;privacy=full, <sip:+15551111@a>;reason=user-busy;counter=2';
  const of = (far: FarSide) => farHeaders(invite({ ...caller, diversion }), far)['Diversion'];
  assert.equal(of({ ...usual, trusted: false }), '<sip:+15551111@192.0.2.1>;reason=user-busy;counter=2');
  assert.match(String(of(usual)), /15550000@192\.0\.2\.1>;reason=no-answer;privacy=full, /);
});

test('RFC 8224: Identity passes untouched, each of several as a field of its own, with the Date that it is signed with', () => {
  const identity = 'a.b.c;info=<https://x.example/a,b.crt>;alg=ES256;ppt=shaken,d.e.f;info=<https://y>;ppt="div"';
  const headers = farHeaders(invite({ ...caller, identity, date: 'Thu, 26 Nov 2026 12:00:00 GMT' }), usual);
  assert.deepEqual(headers['Identity'], [
    'a.b.c;info=<https://x.example/a,b.crt>;alg=ES256;ppt=shaken',
    'd.e.f;info=<https://y>;ppt="div"',
  ]);
  assert.equal(headers['Date'], 'Thu, 26 Nov 2026 12:00:00 GMT');
  assert.equal(farHeaders(invite({ ...caller, identity }), { ...usual, passHeaders: [] })['Identity'], undefined);
});

test('configured header fields pass as they are, others do not, and none may end a line or make the INVITE too long', () => {
  const values = { 'x-account': 'AC\t1', 'x-evil': 'a\r\nVia: b', 'x-long': 'a'.repeat(7_000), 'x-other': 'secret' };
  const headers = farHeaders(invite({ ...caller, ...values }), {
    ...usual,
    passHeaders: ['X-Account', 'X-Evil', 'X-Long', 'X-Absent'],
  });
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith('X-')),
    ['X-Account'],
  );
  assert.equal(headers['X-Account'], 'AC\t1');
});
