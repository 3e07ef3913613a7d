// `sidestream provider` as integrators run it: a process of its own, told by flags, spoken to by the real client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { ProviderClient, ProviderError } from '@sidestream/conversation-intelligence';
import { eventually } from '@sidestream/peers';
import { type CredentialFiles, CredentialFolder, createAuthority } from '@sidestream/pki';
import { z } from 'zod';
import { runCli, spawnCli } from './run-cli.js';

const line = z.looseObject({
  ready: z.boolean().optional(),
  addresses: z.object({ authority: z.url(), apiBaseUrl: z.url() }).optional(),
  event: z.enum(['request', 'registration', 'finding', 'users']).optional(),
});
const secret = 'Zq8Q~a-secret';
const tenant = 'contoso.example';
const never: AbortSignal = new AbortController().signal;

async function files(
  t: TestContext,
): Promise<{ tls: CredentialFiles; trust: string; secretFile: string; usersFile: string }> {
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const authority = await createAuthority('Provider CA');
  const server = await authority.issue({ commonName: 'provider', dnsNames: ['localhost'], usages: 'server' });
  const [secretFile, usersFile] = [join(folder.directory, 'secret'), join(folder.directory, 'users.json')];
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
  writeFileSync(usersFile, JSON.stringify({ value: [{ id: 'u-1' }, { id: 'u-2' }, { id: 'u-3' }] }));
  return { tls: await folder.write(server, 'provider'), trust: authority.certificate, secretFile, usersFile };
}

test('sidestream provider serves the real client, tells what comes in JSON lines and stops on SIGTERM', async (t) => {
  const { tls, trust, secretFile, usersFile } = await files(t);
  const child = spawnCli([
    'provider',
    ...['--listen', '127.0.0.1:0', '--public-host', 'localhost', '--cert', tls.certFile, '--key', tls.keyFile],
    ...['--tenant', tenant, '--client-id', 'app', '--secret-file', secretFile],
    ...['--users', usersFile, '--page-size', '2', '--behave', 'status=503x1'],
  ]);
  t.after(() => child.kill('SIGKILL'));
  const lines: z.output<typeof line>[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => lines.push(line.parse(JSON.parse(text))));
  await eventually(() => lines.some(({ ready }) => ready === true), 'the provider is ready');

  const { addresses } = lines[0] ?? {};
  assert.ok(addresses);
  const client = new ProviderClient({
    ...{ entraTenantId: tenant, clientId: 'app', credential: { secret: () => secret }, trust, ...addresses },
    retry: { baseMs: 1 },
  });
  t.after(() => client.close());
  const list = await client.listUsers(never);
  assert.deepEqual(list !== 'not-modified' && [list.users.length, list.pages], [3, 2]);
  const body = { orgId: 'not a GUID' };
  await assert.rejects(client.registerTenant(body, never), ProviderError);
  await eventually(() => lines.some(({ event }) => event === 'finding'), 'the finding is told');

  writeFileSync(usersFile, '[]');
  child.kill('SIGHUP');
  await eventually(() => lines.some(({ event }) => event === 'users'), 'the users are read again');
  const empty = await client.listUsers(never);
  assert.deepEqual(empty !== 'not-modified' && empty.users, []);
  await eventually(() => lines.filter(({ event }) => event === 'request').length === 7, 'all requests are told');
  const statuses = lines.filter(({ event }) => event === 'request').map(({ method, status }) => `${method} ${status}`);
  assert.deepEqual(statuses, ['GET 200', 'POST 200', 'GET 503', 'GET 200', 'GET 200', 'POST 400', 'GET 200']);
  assert.ok(!JSON.stringify(lines).includes(secret));
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
});

test('sidestream provider without a credential, with a wrong fault or users file says so; a wrong command line ends with 2', async (t) => {
  const { tls, secretFile, usersFile } = await files(t);
  const good = ['provider', '--listen', '127.0.0.1:0', '--cert', tls.certFile, '--key', tls.keyFile];
  writeFileSync(usersFile, '{"users": 1}');
  for (const [code, args, expected] of [
    [2, [], /--secret-file/],
    [2, ['--secret-file', secretFile, '--behave', 'tired'], /unknown fault "tired"; there are status/],
    [2, ['--secret-file', secretFile, '--page-size', '0'], /whole number/],
    [2, ['--secret-file', secretFile, '--listen', 'here'], /host:port/],
    [1, ['--secret-file', secretFile, '--users', usersFile], /users\.json: neither an array/],
    [1, ['--secret-file', '/nonexistent/secret'], /nonexistent/],
  ] as const) {
    const run = await runCli([...good, ...args], { timeoutMs: 20_000 });
    assert.equal(run.code, code);
    assert.match(run.stderr, expected);
    assert.equal(run.stdout, '');
  }
});
