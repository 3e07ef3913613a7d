import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { TokenRefused, type User } from '../domain/user.js';
import { ClientAddress } from './client-address.js';
import { Gate } from './gate.js';

const ada: User = { tenant: 'contoso', seller: 'ada', operator: false, expiresAtMs: 0 };
const proxy = '10.0.0.1';

function gateOf(verify: (token: string) => Promise<User>) {
  const gate = new Gate({
    tokens: { verify },
    origins: [],
    publicUrl: undefined,
    addresses: new ClientAddress([proxy]),
    limits: { requestsPerSecond: 1_000, requestsPerSecondOfAddress: 3 },
  });
  /** What becomes of a request: the user, or the code of the refusal. */
  return async (headers: Record<string, string>, remoteAddress = proxy): Promise<string> => {
    const request = { headers: { authorization: 'Bearer t', ...headers }, socket: { remoteAddress } };
    return gate.user(request as unknown as IncomingMessage).then(
      ({ seller }) => seller,
      ({ code, reason }: { code?: string; reason?: string }) => code ?? reason ?? '',
    );
  };
}

test('an address that asks too fast is refused before its tokens are looked at, others behind the same proxy are not', async () => {
  let verified = 0;
  const ask = gateOf(async () => {
    verified += 1;
    throw new TokenRefused('bad-signature');
  });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask({ 'x-forwarded-for': '203.0.113.1' })));
  // The burst is six.
  assert.deepEqual([...new Set(answers)], ['bad-signature', 'too-many-requests']);
  assert.ok(verified >= 6 && verified < 20, `${verified} were verified`);
  assert.equal(await ask({ 'x-forwarded-for': '203.0.113.2' }), 'bad-signature');
});

test('who is no proxy of ours gets no further by naming another address each time; good tokens count, too', async () => {
  const ask = gateOf(async () => ada);
  const answers: string[] = [];
  for (let n = 0; n < 50; n += 1) answers.push(await ask({ 'x-forwarded-for': `203.0.113.${n}` }, '198.51.100.7'));
  assert.equal(answers[0], 'ada');
  assert.ok(answers.includes('too-many-requests'));
});
