// Signalling with the policy of a provider: it comes by way of NATS, and calls outlive everything it comes from.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type LaboratoryConfig, listedSeller } from '@sidestream/cli';
import { eventually, freeTcpPort } from '@sidestream/peers';
import { encodeSnapshot, numberKey, type PolicyPointer } from '@sidestream/policy';
import type { BusSession } from '@sidestream/service';
import { openBus } from './nats-stage.js';
import { Stage } from './stage.js';

/** The laboratory's tenant takes its policy from a provider that is out of reach for ever: the test puts it into NATS. */
function providerPolicy(t: TestContext): { state: string; configure: (config: LaboratoryConfig) => void } {
  const state = mkdtempSync(join(tmpdir(), 'sidestream-state-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const clientSecretFile = join(state, 'secret');
  writeFileSync(clientSecretFile, 'none');
  const configure = (config: LaboratoryConfig) => {
    const { contoso } = config.tenants;
    assert.ok(contoso);
    contoso.policy = { source: 'provider', stale: 'record-none' };
    contoso.provider = {
      entraTenantId: 'contoso.example',
      clientId: '6f4e9c2a-6f0e-4d61-9d3b-0d6f5a3c2b10',
      clientSecretFile,
      authority: 'https://127.0.0.1:9',
      apiBaseUrl: 'https://127.0.0.1:9',
      register: false,
    };
    config.signalling.stateDirectory = state;
  };
  return { state, configure };
}

function policyOf(numbers: readonly string[]): { pointer: PolicyPointer; bytes: Uint8Array } {
  const rules = numbers.map((number, index) => {
    const key = numberKey(number);
    assert.ok(key);
    return { id: `user-${index}`, keys: [key] };
  });
  const { bytes, revision } = encodeSnapshot(rules);
  const now = new Date().toISOString();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const object = `contoso/${revision}`;
  const users = numbers.length;
  const pointer = { version: 1 as const, revision, object, bytes: bytes.length, sha256, users };
  return { pointer: { ...pointer, fetchedAt: now, checkedAt: now }, bytes };
}

async function put(session: BusSession, numbers: readonly string[]): Promise<PolicyPointer> {
  const { pointer, bytes } = policyOf(numbers);
  await (await session.objectStore('policy-snapshots')).putBlob({ name: pointer.object }, bytes);
  await session.bucket('policies').put('contoso', JSON.stringify(pointer));
  return pointer;
}

/** The services around it may wait for the provider or for NATS. */
async function signallingReady({ laboratory }: Stage): Promise<void> {
  await laboratory.deployment.services.get('signalling')?.ready(15_000);
}

async function inUse({ laboratory }: Stage, label: string, timeoutMs: number): Promise<void> {
  const info = () => laboratory.metric('signalling', 'sidestream_policy_info', label);
  await eventually(async () => (await info()) === 1, 'the new policy is in use', timeoutMs);
}

/** Calls the listed seller and hangs up; how the call was decided. */
async function callAndHangUp(stage: Stage): Promise<string> {
  const { laboratory } = stage;
  const reasons = ['listed', 'not-listed', 'policy-stale'];
  const count = () =>
    Promise.all(
      reasons.map((reason) => laboratory.metric('signalling', 'sidestream_decisions_total', `reason="${reason}"`)),
    );
  const before = await count();
  const call = await stage.inbound();
  await stage.talk(call, 20);
  await call.customer.hangUp();
  await call.seller.ended;
  const after = await count();
  await stage.nothingIsLeft();
  return reasons.find((_, index) => (after[index] ?? 0) > (before[index] ?? 0)) ?? 'not decided';
}

describe('signalling with the policy of a provider', () => {
  test('503 until there is a policy in NATS; a new one decides within a second', async (t) => {
    const stage = await Stage.start(t, { configure: providerPolicy(t).configure, readyTimeoutMs: 0 });
    if (!stage) return;
    const { laboratory } = stage;
    const { deployment } = laboratory;
    await eventually(() => deployment.status.waitingFor.some((what) => /policy: .*contoso/.test(what)), 'it waits');
    const refused = await stage.customer.call(stage.uri(listedSeller.number), { answerTimeoutMs: 10_000 });
    assert.equal((await refused.ended).status, 503);

    const session = await openBus(t, [laboratory.nats.url]).whenConnected(AbortSignal.timeout(10_000));
    await put(session, []);
    await signallingReady(stage);
    assert.equal(await callAndHangUp(stage), 'not-listed');
    const { revision } = await put(session, [listedSeller.number]);
    await inUse(stage, `revision="${revision}"`, 1_000);
    assert.equal(await callAndHangUp(stage), 'listed');
    assert.equal(laboratory.recorder.sessions.length, 1);
  });

  test('who is removed or added at the API is within a poll and a second; with all of it dead calls connect and go stale', async (t) => {
    const pollMs = 1_000;
    const stage = await Stage.start(t, {
      provider: {},
      configure: ({ tenants: { contoso } }) => {
        assert.ok(contoso?.provider);
        contoso.provider.register = false;
        contoso.policy = { source: 'provider', pollInterval: `${pollMs}ms`, maxAge: '10s', stale: 'record-none' };
      },
    });
    if (!stage) return;
    const { laboratory } = stage;
    const users = () => laboratory.metric('signalling', 'sidestream_policy_users');
    assert.equal(await callAndHangUp(stage), 'listed');
    laboratory.provider.setUsers([]);
    await eventually(async () => (await users()) === 0, 'the seller is removed', pollMs + 1_000);
    assert.equal(await callAndHangUp(stage), 'not-listed');
    laboratory.provider.setUsers([{ id: listedSeller.id, businessPhones: [listedSeller.number] }]);
    await eventually(async () => (await users()) === 1, 'the seller is added', pollMs + 1_000);

    await laboratory.provider.close();
    await laboratory.nats.kill('SIGKILL');
    assert.equal(await callAndHangUp(stage), 'listed');
    const age = () => laboratory.metric('signalling', 'sidestream_policy_age_seconds');
    await eventually(async () => (await age()) > 10, 'the policy is stale', 30_000);
    assert.equal(await callAndHangUp(stage), 'policy-stale');
    assert.equal(laboratory.recorder.sessions.length, 2);
  });

  test('a start without NATS: the policy and the relay on disk serve calls', async (t) => {
    const { state, configure } = providerPolicy(t);
    const { pointer, bytes } = policyOf([listedSeller.number]);
    const directory = join(state, 'policies', 'contoso');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'pointer.json'), JSON.stringify(pointer));
    writeFileSync(join(directory, `${pointer.sha256}.snapshot`), bytes);
    const address = `127.0.0.1:${await freeTcpPort('127.0.0.1')}`;
    const relay = { address, region: 'local', sessions: 0, capacity: 100, draining: false };
    writeFileSync(join(state, 'relays.json'), JSON.stringify([relay]));
    const stage = await Stage.start(t, {
      nats: false,
      readyTimeoutMs: 0,
      configure: (config) => {
        configure(config);
        config.mediaRelay.listen = address;
      },
    });
    if (!stage) return;
    await signallingReady(stage);
    assert.equal(await callAndHangUp(stage), 'listed');
    assert.equal(stage.laboratory.recorder.sessions.length, 1);
  });
});
