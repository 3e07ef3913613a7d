// RFC 4475 §3.1.2 and §3.2: invalid messages, and the answer that their clauses ask for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseMessage } from '../message/parse-message.js';
import { SipError } from '../sip-error.js';
import { serverKeyOf } from '../transaction/matching.js';
import { receive, tortureBytes, tortureRequest, tortureResponse } from './torture-message.js';

describe('a malformed request is answered, with its own Via, Call-ID and CSeq', () => {
  for (const { clause, name, what, status, field } of [
    { clause: '3.1.2.1', name: 'badinv01', what: 'extraneous header field separators', status: 400, field: 'Via' },
    {
      clause: '3.1.2.2',
      name: 'clerr',
      what: 'Content-Length larger than message',
      status: 400,
      field: 'Content-Length',
    },
    { clause: '3.1.2.3', name: 'ncl', what: 'negative Content-Length', status: 400, field: 'Content-Length' },
    { clause: '3.1.2.4', name: 'scalar02', what: 'overlarge values in a request', status: 400, field: 'CSeq' },
    { clause: '3.1.2.6', name: 'quotbal', what: 'unterminated quoted string', status: 400, field: 'To' },
    { clause: '3.1.2.7', name: 'ltgtruri', what: '<> around the Request-URI', status: 400, field: 'Request-URI' },
    { clause: '3.1.2.8', name: 'lwsruri', what: 'white space in the Request-URI', status: 400, field: 'Request-URI' },
    {
      clause: '3.1.2.9',
      name: 'lwsstart',
      what: 'several spaces in the request line',
      status: 400,
      field: 'Request-URI',
    },
    {
      clause: '3.1.2.10',
      name: 'trws',
      what: 'spaces at the end of the request line',
      status: 400,
      field: 'request line',
    },
    { clause: '3.1.2.11', name: 'escruri', what: 'headers in the Request-URI', status: 400, field: 'Request-URI' },
    { clause: '3.1.2.13', name: 'regbadct', what: 'a Contact that needs <>', status: 400, field: 'Contact' },
    { clause: '3.1.2.14', name: 'badaspec', what: 'spaces within addr-spec', status: 400, field: 'To' },
    { clause: '3.1.2.15', name: 'baddn', what: 'a display name that needs quotes', status: 400, field: 'From' },
    { clause: '3.1.2.16', name: 'badvers', what: 'unknown protocol version', status: 505, field: 'request line' },
    { clause: '3.1.2.17', name: 'mismatch01', what: 'CSeq of another method', status: 400, field: 'CSeq' },
    { clause: '3.1.2.18', name: 'mismatch02', what: 'unknown method, CSeq of another', status: 501, field: 'CSeq' },
    { clause: '3.3.1', name: 'insuf', what: 'From, To and Call-ID missing', status: 400, field: 'From' },
    { clause: '3.3.8', name: 'multi01', what: 'several values in single-value fields', status: 400, field: 'From' },
    { clause: '3.3.9', name: 'mcl01', what: 'several Content-Length values', status: 400, field: 'Content-Length' },
  ]) {
    test(`RFC 4475 §${clause} ${name}: ${what} is answered ${status}`, async () => {
      const bytes = tortureBytes(name);
      assert.throws(
        () => parseMessage(bytes),
        (error) => error instanceof SipError && error.status === status && error.message.startsWith(`${field}: `),
      );
      const { statuses, header, error } = await receive(bytes);
      assert.deepEqual(statuses, [status]);
      assert.equal(error?.status, status);
      const line = (pattern: RegExp): string | undefined => pattern.exec(String(bytes))?.[1];
      assert.match(header('Via')[0] ?? '', /^SIP\/[27]\.0\/(?:UDP|TCP) .*;received=192\.0\.2\.2/);
      assert.equal(/branch=([^;\r]+)/.exec(header('Via')[0] ?? '')?.[1], line(/branch=([^;\r]+)/));
      assert.equal(header('Call-ID')[0], line(/^Call-ID: *(.*)\r/m));
      assert.equal(header('CSeq')[0], line(/^CSeq: *(.*)\r/m));
      if (name !== 'insuf') assert.match(header('To')[0] ?? '', /[^;]/);
    });
  }

  test('RFC 3261 §18.2.2: the answer goes to the port of sent-by, quotbal’s 5050, at the address that the request came from', async () => {
    assert.deepEqual((await receive(tortureBytes('quotbal'))).answeredTo, { host: '192.0.2.2', port: 5050 });
  });
});

describe('a malformed response is dropped', () => {
  for (const { clause, name, what } of [
    { clause: '3.1.2.5', name: 'scalarlg', what: 'overlarge values in a response' },
    { clause: '3.1.2.19', name: 'bigcode', what: 'overlarge response code' },
  ]) {
    test(`RFC 4475 §${clause} ${name}: ${what}`, async () => {
      assert.throws(() => tortureResponse(name), SipError);
      const { answer, error } = await receive(tortureBytes(name));
      assert.equal(answer, '');
      assert.equal(error?.code, 'malformed');
    });
  }
});

test('RFC 4475 §3.1.2.12 baddate: a bad Date is no reason to refuse who does not use it', async () => {
  assert.equal(tortureRequest('baddate').headers.get('Date'), 'Fri, 01 Jan 2010 16:00:00 EST');
  const { statuses } = await receive(tortureBytes('baddate'), {}, { invite: (invite) => void invite.accept() });
  assert.deepEqual(statuses, [200]);
});

test('RFC 4475 §3.2.1 badbranch: a cookie without identifier is matched as RFC 2543 has it', async () => {
  const request = tortureRequest('badbranch');
  const other = request.clone();
  other.headers.set('Call-ID', 'another');
  assert.notEqual(serverKeyOf(request), serverKeyOf(other));
  assert.equal(serverKeyOf(request), serverKeyOf(request.clone()));
  assert.deepEqual((await receive(tortureBytes('badbranch'))).statuses, [200]);
});

test('the archive of RFC 4475 also holds test.dat: no Via, so nobody can be answered', async () => {
  const { answer, error } = await receive(tortureBytes('test'));
  assert.equal(answer, '');
  assert.equal(error?.code, 'malformed');
});
