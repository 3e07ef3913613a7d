import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProviderError } from './provider-error.js';
import { readUsersPage, type UsersPage } from './users-page.js';

const url = new URL('https://api.example/api/v1.0/providers/users?page=1');
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

function read(body: unknown, headers: Record<string, string> = {}): UsersPage {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return readUsersPage({ status: 200, headers, body: bytes }, url, (text) => text);
}

function refusal(expected: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ProviderError && error.code === 'bad-answer' && expected.test(error.message);
}

test('an array, or the first array under a usual name in any case', () => {
  assert.deepEqual(
    read(['u-1']).users.map(({ id }) => id),
    ['u-1'],
  );
  for (const key of ['value', 'Users', 'ITEMS', 'data', 'Results']) {
    const { users, next } = read({ count: 1, [key]: [{ Id: 'u-1' }] });
    assert.deepEqual([users[0]?.id, next], ['u-1', undefined], key);
  }
  assert.deepEqual(read([]).users, []);
});

test('a byte-order mark is no harm', () => {
  assert.deepEqual(read(Buffer.from('\ufeff[]')).users, []);
});

test('what is no list is refused, and said without its values', () => {
  const secretive = { status: 'private', other: [1] };
  for (const [body, expected] of [
    [secretive, /no list but an object with status, other\.$/],
    [null, /no list but null/],
    ['text', /no list but a string/],
    [{ value: { id: 'u-1' } }, /no list but an object with value/],
    [Buffer.from('[{"id":'), /no JSON\.$/],
    [Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), /no JSON/],
    [Buffer.from('<html><title>Sign  in</title>'), /no JSON but an HTML page, "Sign in"/],
    [Buffer.alloc(0), /no JSON/],
  ] as const)
    assert.throws(() => read(body), refusal(expected));
});

test('an error with status 200 is no list of nobody, and is said', () => {
  for (const [body, expected] of [
    [{ error: { code: 'ServiceBusy' }, value: [] }, /says that it failed: ServiceBusy\.$/],
    [{ Errors: [{ message: 'no' }], data: [] }, /says that it failed: .*no/],
    [{ success: false, message: 'boom', data: [] }, /says that it failed: boom/],
    [{ success: 'false', data: ['u-1'] }, /says that it failed: no success/],
  ] as const)
    assert.throws(() => read(body), refusal(expected));
  assert.throws(() => read(Buffer.from(`{"error":${deep},"value":[]}`)), refusal(/failed/));
  for (const fine of [{ error: null }, { error: '' }, { errors: [] }, { error: {} }, { success: true }])
    assert.deepEqual(read({ ...fine, value: [] }).users, []);
});

test('of two lists nobody knows which one counts', () => {
  assert.throws(() => read({ value: [], users: ['u-1'] }), refusal(/several lists: value, users/));
  assert.throws(() => read({ value: [], Value: ['u-1'] }), refusal(/several lists: value, Value/));
  assert.equal(read({ value: ['u-1'], data: null }).users.length, 1);
});

test('one element that names nobody spoils the list, because a shortened list would record too few', () => {
  for (const element of [null, 7, '', ' ', [], {}, { id: null }, { displayName: 'Ada' }, { id: 'x'.repeat(2000) }])
    assert.throws(() => read(['u-1', element]), refusal(/Element 1 .*names no user/), JSON.stringify(element));
});

test('the next page: odata and plain links, absolute or relative, a continuation token, a Link header', () => {
  const links: [object, Record<string, string>, string][] = [
    [{ '@odata.nextLink': 'https://api.example/x?p=2' }, {}, 'https://api.example/x?p=2'],
    [{ NextLink: '?p=2' }, {}, 'https://api.example/api/v1.0/providers/users?p=2'],
    [{ next: '/other#part' }, {}, 'https://api.example/other'],
    [{ continuationToken: 'a b&c' }, {}, `${url.href}&continuationToken=a+b%26c`],
    [{ links: { next: '/x' } }, {}, 'https://api.example/x'],
    [
      { _links: { self: { href: '/' }, Next: { href: '?p=2' } } },
      {},
      'https://api.example/api/v1.0/providers/users?p=2',
    ],
    [{ paging: { next: '/x', previous: '/y' } }, {}, 'https://api.example/x'],
    [{ links: [null, { rel: 'self', href: '/' }, { rel: 'next', href: '/x' }] }, {}, 'https://api.example/x'],
    [{ next: '/x', hasMore: true, nextPageToken: 'y' }, {}, 'https://api.example/x'],
    [{}, { link: '</first>; rel="first", </second>; title="x"; rel="last next"' }, 'https://api.example/second'],
    [{}, { link: '</second>; rel=next' }, 'https://api.example/second'],
  ];
  for (const [fields, headers, expected] of links)
    assert.equal(read({ value: [], ...fields }, headers).next?.href, expected);
});

test('no next page: absent, null, empty or false', () => {
  for (const next of [undefined, null, '', false]) assert.equal(read({ value: [], next }).next, undefined);
  assert.equal(read([], { link: '</first>; rel="first", </nextish>; rel="nextish"' }).next, undefined);
});

test('a link elsewhere is refused: host, port, scheme, credentials', () => {
  for (const next of [
    'https://evil.example/users',
    'https://api.example:8443/users',
    'http://api.example/users',
    '//evil.example/users',
    '\\\\evil.example/users',
    'https://user:pass@api.example/users',
    'data:application/json,[]',
  ])
    assert.throws(() => read({ value: [], next }), refusal(/leads away from https:\/\/api\.example/), next);
});

test('a next page that can not be found is an error and not the end', () => {
  for (const fields of [{ next: { href: '/x' } }, { next: 2 }, { next: 'https://[' }, { continuationToken: {} }])
    assert.throws(() => read({ value: [], ...fields }), refusal(/is not readable/));
  for (const links of [{ next: 'https://evil.example/' }, [{ rel: 'next', href: 'https://evil.example/' }]])
    assert.throws(() => read({ value: [], links }), refusal(/leads away/));
});

test('whatever says that there is more and is not known how to follow is an error and not the end', () => {
  for (const fields of [
    { hasMore: true },
    { hasMore: 'true' },
    { has_more: 1 },
    { nextPageToken: 'x' },
    { '@odata.skipToken': 'x' },
    { paging: { hasMore: true, cursors: { after: 'x' } } },
    { meta: { next_cursor: 'x' } },
    { links: { continuation: 'x' } },
    { hasMore: { toString: 1 } },
  ])
    assert.throws(() => read({ value: ['u-1'], ...fields }), refusal(/which is not known how to follow/));
  for (const fields of [{ hasMore: 'false' }, { hasMore: 0 }, { nextPageToken: null }, { links: { next: null } }])
    assert.equal(read({ value: ['u-1'], ...fields }).next, undefined);
});

test('the number of users that the answer names', () => {
  for (const [fields, announced] of [
    [{ '@odata.count': 5000, count: 1 }, 5000],
    [{ TotalCount: '5000' }, 5000],
    [{ paging: { total: 7 } }, 7],
    [{ count: 'many', total: -1, total_count: null }, 0],
    [{ count: { toString: 1 } }, 0],
  ] as const)
    assert.equal(read({ value: ['u-1'], ...fields }).announced, announced);
});

test('whatever the JSON is, there are users or a ProviderError', () => {
  const element = fc.oneof(
    fc.jsonValue(),
    fc.record({ id: fc.jsonValue(), phones: fc.jsonValue(), sipAddress: fc.jsonValue(), upn: fc.jsonValue() }),
  );
  const wrapper = fc.record(
    {
      ...{ value: fc.array(element), next: fc.jsonValue(), continuationToken: fc.jsonValue(), hasMore: fc.jsonValue() },
      ...{ links: fc.jsonValue(), paging: fc.dictionary(fc.constantFrom('next', 'rel', 'hasMore'), fc.jsonValue()) },
      ...{ count: fc.jsonValue(), error: fc.jsonValue(), success: fc.jsonValue() },
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(element), wrapper), (body) => {
      try {
        const { users, next } = read(body);
        for (const { id, numbers, addresses } of users) {
          assert.ok(id.trim() !== '');
          assert.ok([...numbers, ...addresses].every((text) => typeof text === 'string'));
        }
        assert.ok(next === undefined || next.origin === url.origin);
      } catch (error) {
        assert.ok(error instanceof ProviderError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('whatever the bytes are, there are users or a ProviderError; depth is no harm', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(() => read(Buffer.concat([Buffer.from('{'), bytes])), ProviderError);
    }),
  );
  assert.throws(() => read(Buffer.from(deep)), refusal(/Element 0/));
});
