import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Authority, createAuthority } from '@sidestream/pki';
import { DeletionCost } from './deletion-cost.js';
import { createLogger } from './log.js';
import { pause } from './pause.js';

interface Heard {
  readonly line: string;
  readonly token: string;
  readonly type: string;
  readonly body: unknown;
}

const annotated = (cost: string) => ({
  metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } },
});

/** Stands for kube-apiserver over TLS, and a pod that may write to it. */
async function stage(
  t: TestContext,
  {
    authority,
    status = 200,
    answerMs = 20_000,
  }: { authority?: Authority; status?: number | 'none'; answerMs?: number } = {},
) {
  const trusted = await createAuthority('Cluster');
  const { certificate, key } = await (authority ?? trusted).issue({ commonName: 'api', ipAddresses: ['127.0.0.1'] });
  const heard: Heard[] = [];
  const told: string[] = [];
  const answer = { status };
  const server = createServer({ cert: certificate, key }, (request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      const { authorization = '', 'content-type': type = '' } = request.headers;
      heard.push({ line: `${request.method} ${request.url}`, token: authorization, type, body: JSON.parse(text) });
      if (answer.status !== 'none') response.writeHead(answer.status).end('{"message":"as RBAC says"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-pod-'));
  const renew = (token: string) => writeFileSync(join(folder, 'token'), `${token}\n`);
  renew('first');
  writeFileSync(join(folder, 'ca.crt'), trusted.certificate);
  let load = 0;
  const { port } = server.address() as AddressInfo;
  const cost = new DeletionCost({
    pod: { url: `https://127.0.0.1:${port}/api/v1/namespaces/voice/pods/sip-0`, credentials: folder },
    cost: () => load,
    everyMs: 5,
    answerMs,
    log: createLogger({
      name: 'test',
      instance: 'test',
      level: 'info',
      destination: { write: (line) => told.push(line) },
    }),
  });
  cost.start();
  t.after(async () => {
    await cost.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const carry = (calls: number) => {
    load = calls;
  };
  return { heard, told, renew, carry, cost, answer };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(20_000);
  while (!condition()) {
    deadline.throwIfAborted();
    await pause(5, deadline);
  }
}

test('what a pod carries is written into its annotation, by its status, at the start and when it changes', async (t) => {
  const { heard, told, renew, carry } = await stage(t);
  await until(() => heard.length === 1);
  renew('second');
  carry(7);
  await until(() => heard.length === 2);
  const line = 'PATCH /api/v1/namespaces/voice/pods/sip-0/status';
  const type = 'application/merge-patch+json';
  assert.deepEqual(heard, [
    { line, token: 'Bearer first', type, body: annotated('0') },
    { line, token: 'Bearer second', type, body: annotated('7') },
  ]);
  assert.deepEqual(told, []);
});

test('what fails is told once, and tried until it is taken', async (t) => {
  const { heard, told, carry, answer } = await stage(t, { status: 403 });
  carry(3);
  await until(() => heard.length >= 3);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /pods\/sip-0\/status was answered 403: .*as RBAC says/);
  answer.status = 200;
  carry(4);
  await until(() => JSON.stringify(heard.at(-1)?.body) === JSON.stringify(annotated('4')));
  assert.equal(told.length, 1);
});

test('a server that the cluster’s authority has not signed gets no token', async (t) => {
  const { heard, told } = await stage(t, { authority: await createAuthority('Somebody else') });
  await until(() => told.length === 1);
  assert.match(told[0] ?? '', /self-signed|unable to (verify|get)/i);
  assert.deepEqual(heard, []);
});

test('a server that takes the request and never answers is asked again after the deadline, whatever is collected meanwhile', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const { heard, told, carry } = await stage(t, { status: 'none', answerMs: 200 });
  await until(() => heard.length === 1);
  carry(7);
  collect();
  await until(() => heard.length >= 2);
  assert.deepEqual(heard[1]?.body, annotated('7'));
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /no answer within 200 ms/);
});

test('closing does not wait for a server that does not answer', async (t) => {
  const { heard, told, cost } = await stage(t, { status: 'none' });
  await until(() => heard.length === 1);
  await cost.close();
  assert.deepEqual(told, []);
});
