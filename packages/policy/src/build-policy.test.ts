import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPolicy, type PolicyUser } from './build-policy.js';
import { parseIdentities } from './identities.js';
import { openSnapshot } from './policy-snapshot.js';
import { sellerIdentity } from './seller-identity.js';

const user = (id: string, more: Partial<PolicyUser> = {}): PolicyUser => ({ id, numbers: [], addresses: [], ...more });
const identities = (text: string) => parseIdentities(text, 'csv', { onError: 'refuse', defaultCountry: 'DE' });

const users = [
  user('oid-1', { upn: 'Kiana@contoso.example', name: ' Kiana Anderson ', numbers: ['+49 (0)30 901820'] }),
  user('OID-2', { upn: 'tomas@contoso.example', addresses: ['sip:tomas@pbx.example'] }),
  user('oid-3', { name: 'Nobody can call her' }),
];

test("what names a user comes from the provider's own fields and from the identities file, by object id and by UPN", () => {
  const file = identities(
    'user,numbers,addresses\nkiana@contoso.example,,4711@pbx.example\noid-2,030 901821,\nelse@contoso.example,030 901822,',
  );
  const built = buildPolicy(users, file);
  const { users: count, unmatched, unused, problems, revision } = built;
  assert.deepEqual([count, unmatched, unused, problems], [3, 1, 1, { count: 0, first: [] }]);
  const snapshot = openSnapshot(built.bytes);
  const found = (uri: string) => snapshot.find(sellerIdentity(uri))?.seller;
  const kiana = { id: 'oid-1', name: 'Kiana Anderson', upn: 'Kiana@contoso.example' };
  assert.deepEqual([found('tel:+4930901820'), found('sip:4711@pbx.example')], [kiana, kiana]);
  const tomas = { id: 'OID-2', upn: 'tomas@contoso.example' };
  assert.deepEqual([found('sip:tomas@pbx.example'), found('tel:+4930901821')], [tomas, tomas]);
  assert.equal(found('tel:+4930901822'), undefined);
  assert.equal(snapshot.revision, revision);
});

test('the revision does not depend on the order of the users, and changes with whom they are and what names them', () => {
  const revision = (list: PolicyUser[], file = '') =>
    buildPolicy(list, file === '' ? undefined : identities(file)).revision;
  assert.equal(revision([...users].reverse()), revision(users));
  const others = [
    revision(users.slice(1)),
    revision([...users, user('oid-4')]),
    revision(users, 'user,numbers\noid-3,+4930901899'),
    revision(users.map((each) => ({ ...each, name: 'renamed' }))),
  ];
  assert.equal(new Set([revision(users), ...others]).size, 5);
});

test('a national number of the provider needs the default country', () => {
  const list = [user('a', { numbers: ['030 901820'] })];
  assert.equal(buildPolicy(list, undefined, { defaultCountry: 'DE' }).problems.count, 0);
  const { problems, unmatched } = buildPolicy(list, undefined);
  assert.deepEqual(problems.first, [{ path: '"a"', message: '"030 901820" is not a telephone number with + or 00' }]);
  assert.equal(unmatched, 1);
});

test('what the provider says and cannot be used is reported, and nothing else is lost', () => {
  const list = [
    user('a', { numbers: ['4711', '+4930*', '+4930901820'], addresses: ['nobody', '*@pbx.example', 'a@pbx.example'] }),
    user(''),
    user('x'.repeat(257)),
  ];
  const { problems, users: count, bytes } = buildPolicy(list, undefined);
  assert.deepEqual([problems.count, count], [6, 1]);
  assert.equal(openSnapshot(bytes).find({ number: '+4930901820' })?.seller.id, 'a');
  assert.equal(openSnapshot(bytes).find({ number: '+4930901821' }), undefined);
});

test('two users with one number: reported, and the call is recorded as that of the first id, whatever the order', () => {
  const list = [user('b', { numbers: ['+4930901820'] }), user('a', { numbers: ['+49 30 901820'] })];
  for (const each of [list, [...list].reverse()]) {
    const { problems, bytes } = buildPolicy(each, undefined);
    assert.deepEqual(problems.first, [{ path: '"b"', message: '+4930901820 belongs to "a" as well, who is shown' }]);
    assert.equal(openSnapshot(bytes).find({ number: '+4930901820' })?.seller.id, 'a');
  }
});

test('a user whom the provider names twice is one user, whatever the order', () => {
  const list = [
    user('a', { name: 'Zoe', numbers: ['+4930901820'] }),
    user('a', { name: 'Ada', addresses: ['a@pbx.example'] }),
  ];
  const [one, other] = [buildPolicy(list, undefined), buildPolicy([...list].reverse(), undefined)];
  assert.deepEqual([one.revision, one.users, one.problems.count], [other.revision, 1, 1]);
  const snapshot = openSnapshot(one.bytes);
  assert.deepEqual(snapshot.user(0), { id: 'a', name: 'Ada' });
  assert.deepEqual(snapshot.find({ number: '+4930901820' }), { seller: { id: 'a', name: 'Ada' }, by: 'number' });
});

test('what it takes and gives goes from a thread to another as it is', () => {
  const file = identities('user,numbers\noid-3,+4930901823');
  const built = buildPolicy(structuredClone(users), structuredClone(file));
  const received = structuredClone(built, { transfer: [built.bytes.buffer] });
  assert.equal(openSnapshot(received.bytes).find({ number: '+4930901823' })?.seller.id, 'oid-3');
  assert.deepEqual([received.unmatched, received.problems], [0, { count: 0, first: [] }]);
});

test('a user with more rows than a function takes arguments is a user like any other', () => {
  const rows = Array.from({ length: 150_000 }, (_, index) => `oid-1,${index}@pbx.example`);
  const { problems, bytes } = buildPolicy(users, identities(`user,addresses\n${rows.join('\n')}`));
  assert.equal(problems.count, 0);
  assert.equal(openSnapshot(bytes).find(sellerIdentity('sip:149999@pbx.example'))?.seller.id, 'oid-1');
});

test('no users at all are a policy', () => {
  const { users: count, bytes } = buildPolicy([], undefined);
  assert.deepEqual([count, openSnapshot(bytes).size], [0, 0]);
});

test('building takes time in proportion to the users', () => {
  const list = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const at = `${(index * 7919) % count}`;
      return user(`id-${at}`, { numbers: [`+4930${1_000_000 + Number(at)}`], addresses: [`u${at}@pbx.example`] });
    });
  const cpuMs = (count: number) => {
    const made = list(count);
    const before = process.cpuUsage();
    assert.equal(buildPolicy(made, undefined).users, count);
    const { user: own, system } = process.cpuUsage(before);
    return (own + system) / 1000;
  };
  cpuMs(5_000);
  const [small, large] = [Math.min(cpuMs(5_000), cpuMs(5_000)), cpuMs(40_000)];
  assert.ok(large < 4 * 8 * small, `${small} ms for 5000 users, ${large} ms for 40000`);
});
