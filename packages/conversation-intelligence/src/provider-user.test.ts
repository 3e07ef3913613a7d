import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUser } from './provider-user.js';

test('the id is the first present of the id fields, whatever their case', () => {
  const all = { Id: 'i', SystemUserId: 's', userID: 'u', OID: 'o', objectId: 'b', azureActiveDirectoryObjectId: 'z' };
  assert.equal(readUser({ ...all, AADObjectId: 'a' })?.id, 'a');
  assert.equal(readUser(all)?.id, 'z');
  assert.equal(readUser({ id: 42 })?.id, '42');
  assert.equal(readUser({ aadObjectId: null, oid: ' ', id: ' i ' })?.id, 'i');
});

test('a user without an id is known by the UPN; a bare string is an id, or a UPN', () => {
  assert.deepEqual(readUser({ mail: 'ada@contoso.example', fullName: 'Ada' }), {
    id: 'ada@contoso.example',
    upn: 'ada@contoso.example',
    name: 'Ada',
    numbers: [],
    addresses: [],
    raw: { mail: 'ada@contoso.example', fullName: 'Ada' },
  });
  assert.equal(readUser('ada@contoso.example')?.upn, 'ada@contoso.example');
  assert.equal(readUser('7f1d')?.upn, undefined);
});

test('numbers and SIP addresses come from any field that is named for them, as text, list or objects', () => {
  const user = readUser({
    id: 'u',
    businessPhones: ['+49 30 901820', '+49 30 901820'],
    MobilePhone: 'tel:+491701234;ext=7',
    phones: [{ type: 'work', number: '(0)30/1234-5' }],
    address1_telephone1: 493012345,
    sipAddress: 'SIP:ada@pbx.example',
    sipProxy: 'ada@other.example',
  });
  assert.deepEqual(user?.numbers, ['+49 30 901820', '+491701234', '(0)30/1234-5', '493012345']);
  assert.deepEqual(user?.addresses, ['SIP:ada@pbx.example', 'sip:ada@other.example']);
});

test('what nobody can be called by is no number', () => {
  const user = readUser({
    id: 'u',
    employeeNumber: '4711',
    faxNumber: '+49301',
    versionNumber: 123456,
    phoneType: 'mobile',
    phones: [null, true, { verified: true }],
    department: '+49 30 5',
  });
  assert.deepEqual([user?.numbers, user?.addresses], [[], []]);
});

test('an object that inherits is not fooled by its keys', () => {
  const user = readUser(JSON.parse('{"id":"u","__proto__":{"upn":"evil@x"},"constructor":"c"}'));
  assert.deepEqual([user?.id, user?.upn], ['u', undefined]);
});
