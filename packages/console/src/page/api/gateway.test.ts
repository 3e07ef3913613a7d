import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ApiError } from './api-error.js';
import { Gateway } from './gateway.js';

/** A gateway that takes only this token, and what it was asked with. */
async function gatewayFor(t: TestContext, good: string) {
  const asked: string[] = [];
  const server = createServer(({ url, headers: { authorization = '' } }, response) => {
    asked.push(`${url} ${authorization}`);
    response.writeHead(authorization === `Bearer ${good}` ? 200 : 401).end(JSON.stringify({ calls: [], silent: [] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

test('401: the token is renewed, the request repeated once', async (t) => {
  const { asked, base } = await gatewayFor(t, 'new');
  const refused: (string | undefined)[] = [];
  const gateway = new Gateway(base, async (token) => {
    refused.push(token);
    return token === undefined ? 'old' : 'new';
  });
  assert.deepEqual(await gateway.list('calls'), { calls: [], instances: [], lost: [] });
  assert.deepEqual(refused, [undefined, 'old']);
  assert.deepEqual(asked, ['/calls?activity=true Bearer old', '/calls?activity=true Bearer new']);
});

test('401 again, or no new token: the session has ended, and nobody asks a third time', async (t) => {
  const { asked, base } = await gatewayFor(t, 'another');
  await assert.rejects(new Gateway(base, async (token) => (token === undefined ? 'old' : 'new')).list('calls'), {
    code: 'signed-out',
  });
  assert.equal(asked.length, 2);
  const ended = new Gateway(base, async (token) => {
    if (token === undefined) return 'old';
    throw new ApiError('signed-out', 'Your session has ended.');
  });
  await assert.rejects(ended.list('calls'), { code: 'signed-out' });
  assert.equal(asked.length, 3);
});
