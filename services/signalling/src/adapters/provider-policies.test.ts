// Policies from a real nats-server, as policy-sync puts them there.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { eventually, type NatsOptions, type NatsPeer, startNats } from '@sidestream/peers';
import { Bus } from '@sidestream/service';
import { Registry } from 'prom-client';
import { readParties } from '../domain/parties.js';
import { PolicyTable } from '../domain/policy-table.js';
import { silent } from '../testing/fake-world.js';
import { type LogLine, testLog } from '../testing/test-log.js';
import { type TestPolicy, testPolicy } from '../testing/test-policy.js';
import { PolicyMetrics } from './policy-metrics.js';
import { ProviderPolicies } from './provider-policies.js';

const [ada, bob] = ['+15550001', '+15550002'];
const maxAgeMs = 3_600_000;

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sidestream-provider-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function nats(t: TestContext, options: NatsOptions = {}): Promise<NatsPeer | undefined> {
  const { peer, reason } = await startNats({ jetStream: true, ...options });
  if (!peer) t.skip(reason);
  else t.after(() => peer.stop());
  return peer;
}

function openBus(t: TestContext, url: string): Bus {
  const nats = { servers: [url], replicas: 1 as const };
  const bus = Bus.open({ nats, name: 'test', log: silent, metrics: new Registry() });
  t.after(() => bus.close());
  return bus;
}

/** Does what policy-sync does. */
class Writer {
  readonly #bus: Bus;

  constructor(t: TestContext, url: string) {
    this.#bus = openBus(t, url);
  }

  async put({ pointer, bytes }: Pick<TestPolicy, 'pointer' | 'bytes'>): Promise<void> {
    const session = await this.#bus.whenConnected(AbortSignal.timeout(10_000));
    await (await session.objectStore('policy-snapshots')).putBlob({ name: pointer.object }, bytes);
    await this.point(pointer);
  }

  async point(pointer: object | string): Promise<void> {
    const session = await this.#bus.whenConnected(AbortSignal.timeout(10_000));
    await session.bucket('policies').put('contoso', typeof pointer === 'string' ? pointer : JSON.stringify(pointer));
  }

  async remove(): Promise<void> {
    const session = await this.#bus.whenConnected(AbortSignal.timeout(10_000));
    await session.bucket('policies').delete('contoso');
  }
}

/** The policies of one signalling instance. */
class Instance {
  readonly table: PolicyTable;
  readonly lines: LogLine[];
  readonly metrics = new Registry();
  readonly bus: Bus;
  readonly #policies: ProviderPolicies;
  swaps = 0;
  clockMs: number | undefined;

  private constructor(t: TestContext, url: string, rule: 'keep' | 'record-none' | 'record-all', directory: string) {
    const { log, lines } = testLog('info');
    this.lines = lines;
    this.table = new PolicyTable({ contoso: { recorders: ['eastus'], enabled: true } }, (tenant, _, loadMs) => {
      this.swaps += 1;
      policyMetrics.swapped(tenant, loadMs);
    });
    const now = () => this.clockMs ?? Date.now();
    const policyMetrics = new PolicyMetrics(this.metrics, this.table, now);
    this.bus = openBus(t, url);
    const sources = { contoso: { rule, maxAgeMs } };
    const { table, metrics } = this;
    this.#policies = new ProviderPolicies(this.bus, { sources, table, directory, log, metrics, now, steady: now });
    t.after(() => this.close());
  }

  static async start(
    t: TestContext,
    url: string,
    options: { rule?: 'keep' | 'record-none' | 'record-all'; directory?: string; clockMs?: number } = {},
  ): Promise<Instance> {
    const instance = new Instance(t, url, options.rule ?? 'record-none', options.directory ?? temporary(t));
    instance.clockMs = options.clockMs;
    await instance.#policies.start();
    return instance;
  }

  close(): Promise<void> {
    return this.#policies.close(5_000);
  }

  /** What is decided of a call to this number, now or so much later. */
  reason(number: string, laterMs = 0): string {
    const at = new Date((this.clockMs ?? Date.now()) + laterMs);
    const parties = readParties({ requestUri: `sip:${number}@sbc`, header: () => undefined });
    const { record, reason } = this.table.decide('contoso', { side: 'customer', parties, at });
    return record ? `recorded: ${reason}` : reason;
  }

  async metric(name: string): Promise<number | string | undefined> {
    const found = await this.metrics.getSingleMetric(name)?.get();
    const value = found?.values[0];
    return value?.labels['revision'] ?? value?.value;
  }
}

describe('ProviderPolicies on a real nats-server', () => {
  test('a user who is added or removed changes the decisions of every instance within a second', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const writer = new Writer(t, peer.url);
    const instances = [await Instance.start(t, peer.url), await Instance.start(t, peer.url)];
    const all = (number: string, reason: string) => () => instances.every((one) => one.reason(number) === reason);
    assert.ok(all(ada, 'no-policy')());
    await writer.put(testPolicy([ada]));
    await eventually(all(ada, 'recorded: listed'), 'the first policy decides', 5_000);
    const added = testPolicy([ada, bob]);
    await writer.put(added);
    await eventually(all(bob, 'recorded: listed'), 'the user who is added is recorded', 1_000);
    for (const { metric } of instances.map((one) => ({ metric: one.metric.bind(one) }))) {
      assert.equal(await metric('sidestream_policy_info'), added.pointer.revision);
      assert.equal(await metric('sidestream_policy_users'), 2);
      assert.equal(await metric('sidestream_policy_swaps_total'), 2);
      assert.ok(Number(await metric('sidestream_policy_load_seconds')) < 1);
    }
    await writer.put(testPolicy([bob]));
    await eventually(all(ada, 'not-listed'), 'the user who is removed is not recorded', 1_000);
    await writer.put(testPolicy([]));
    await eventually(all(bob, 'not-listed'), 'an empty policy is a policy', 1_000);
    assert.deepEqual(instances[0]?.lines, []);
  });

  test('a policy that is only confirmed again is not fetched again, and is as fresh as it says', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const writer = new Writer(t, peer.url);
    const instance = await Instance.start(t, peer.url);
    const past = new Date(Date.now() - 2 * maxAgeMs).toISOString();
    const policy = testPolicy([ada], past);
    await writer.put(policy);
    await eventually(() => instance.reason(ada) === 'policy-stale', 'the policy is too old');
    assert.ok(Number(await instance.metric('sidestream_policy_age_seconds')) >= (2 * maxAgeMs) / 1_000);
    // The object is not even there any more.
    await writer.point({ ...policy.pointer, object: 'elsewhere', checkedAt: new Date().toISOString() });
    await eventually(() => instance.reason(ada) === 'recorded: listed', 'the policy is fresh', 1_000);
    assert.equal(instance.swaps, 1);
    assert.ok(Number(await instance.metric('sidestream_policy_age_seconds')) < 60);
  });

  test('what is unusable never replaces the last good policy, and is told once; the next good one is taken', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const writer = new Writer(t, peer.url);
    const instance = await Instance.start(t, peer.url);
    await writer.put(testPolicy([ada]));
    await eventually(() => instance.reason(ada) === 'recorded: listed', 'the first policy decides');
    const { pointer, bytes } = testPolicy([bob]);
    const garbage = new Uint8Array(bytes.length);
    const cases: [what: string, put: () => Promise<void>, complaint: RegExp][] = [
      ['another content', () => writer.put({ pointer, bytes: garbage }), /SHA-256/],
      [
        'too short',
        () => writer.put({ pointer: { ...pointer, object: 'b' }, bytes: bytes.subarray(8) }),
        /SHA-256|bytes/,
      ],
      ['no object', () => writer.point({ ...pointer, revision: 'absent', object: 'absent' }), /no object 'absent'/],
      ['too large', () => writer.point({ ...pointer, bytes: 2 ** 40 }), /bytes/],
      ['no JSON', () => writer.point('{"version": 1'), /JSON/],
      ['another version', () => writer.point({ ...pointer, version: 2 }), /version/],
      ['an endless pointer', () => writer.point(' '.repeat(600_000)), /600000 bytes/],
    ];
    for (const [what, put, complaint] of cases) {
      instance.lines.splice(0);
      await put();
      await eventually(() => instance.lines.length > 0, `${what} is told`);
      assert.deepEqual(
        instance.lines.map(({ level }) => level),
        ['error'],
        what,
      );
      assert.match(instance.lines[0]?.err?.message ?? '', complaint, what);
      assert.equal(instance.reason(ada), 'recorded: listed', what);
      // The same again, as at the next reconciliation.
      await put();
      const good = testPolicy([ada, `+1555000${9 - cases.findIndex(([name]) => name === what)}`]);
      await writer.put(good);
      await eventually(() => instance.table.current.get('contoso')?.revision === good.pointer.revision, 'the next one');
      assert.equal(instance.lines.length, 1, what);
    }
  });

  test('an object that comes after its pointer is taken when it is there', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const writer = new Writer(t, peer.url);
    const instance = await Instance.start(t, peer.url);
    const late = testPolicy([ada]);
    await writer.point(late.pointer);
    await eventually(() => instance.lines.length === 1, 'it is told');
    const session = await instance.bus.whenConnected(AbortSignal.timeout(5_000));
    await (await session.objectStore('policy-snapshots')).putBlob({ name: late.pointer.object }, late.bytes);
    await eventually(() => instance.reason(ada) === 'recorded: listed', 'the policy decides', 3_000);
  });

  test('a pointer that is deleted leaves the last policy in use', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const writer = new Writer(t, peer.url);
    const instance = await Instance.start(t, peer.url);
    await writer.put(testPolicy([ada]));
    await eventually(() => instance.reason(ada) === 'recorded: listed', 'the policy decides');
    await writer.remove();
    await eventually(() => instance.lines.length === 1, 'it is told');
    assert.match(instance.lines[0]?.msg ?? '', /gone from NATS/);
    assert.equal(instance.reason(ada), 'recorded: listed');
    await writer.put(testPolicy([bob]));
    await eventually(() => instance.reason(bob) === 'recorded: listed', 'the next policy decides');
  });
});

describe('ProviderPolicies when nobody confirms the policy any more', () => {
  for (const [rule, listed, unlisted] of [
    ['keep', 'recorded: listed', 'not-listed'],
    ['record-none', 'policy-stale', 'policy-stale'],
    ['record-all', 'recorded: policy-stale', 'recorded: policy-stale'],
  ] as const) {
    test(`${rule}: decisions follow the rule once NATS is away and maxAge has passed`, async (t) => {
      const peer = await nats(t);
      if (!peer) return;
      const instance = await Instance.start(t, peer.url, { rule });
      await new Writer(t, peer.url).put(testPolicy([ada]));
      await eventually(() => instance.reason(ada) === 'recorded: listed', 'the policy decides');
      await peer.stop();
      await eventually(() => !instance.bus.connected, 'NATS is away');
      assert.equal(instance.reason(ada, maxAgeMs / 2), 'recorded: listed');
      assert.equal(instance.reason(bob, maxAgeMs / 2), 'not-listed');
      assert.equal(instance.reason(ada, maxAgeMs + 1_000), listed);
      assert.equal(instance.reason(bob, maxAgeMs + 1_000), unlisted);
    });
  }

  test('a time of confirmation in the far future does not make the policy fresh for ever', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const writer = new Writer(t, peer.url);
    const began = Date.now();
    const directory = temporary(t);
    const instance = await Instance.start(t, peer.url, { directory, clockMs: began });
    const policy = testPolicy([ada], new Date(began + 1_000 * maxAgeMs).toISOString());
    await writer.put(policy);
    await eventually(() => instance.reason(ada) === 'recorded: listed', 'the policy decides');
    assert.match(instance.lines[0]?.msg ?? '', /confirmed in the future/);
    // Later it hears the same time again, which confirms nothing.
    instance.clockMs = began + 2 * maxAgeMs;
    await writer.point({ ...policy.pointer, users: 7 });
    const kept = join(directory, 'contoso', 'pointer.json');
    await eventually(() => existsSync(kept) && readFileSync(kept, 'utf8').includes('"users":7'), 'it has heard it');
    assert.equal(instance.reason(ada), 'policy-stale');
    await instance.close();
    const next = await Instance.start(t, 'nats://127.0.0.1:9', { directory, clockMs: instance.clockMs });
    assert.equal(next.reason(ada), 'policy-stale');
    await next.close();
    // The same on disk: what is there is from before a clock was put right.
    const past = await Instance.start(t, 'nats://127.0.0.1:9', { directory, clockMs: began - maxAgeMs });
    assert.equal(past.reason(ada), 'recorded: listed');
    assert.equal(past.reason(ada, maxAgeMs + 1_000), 'policy-stale');
  });
});

describe('ProviderPolicies at a start without NATS', () => {
  test('the policy on disk decides, as old as it was; NATS replaces it when it is there', async (t) => {
    const storeDirectory = temporary(t);
    const directory = temporary(t);
    const peer = await nats(t, { storeDirectory });
    if (!peer) return;
    const first = await Instance.start(t, peer.url, { directory });
    await new Writer(t, peer.url).put(testPolicy([ada]));
    await eventually(() => first.reason(ada) === 'recorded: listed', 'the policy decides');
    await first.close();
    await peer.stop();
    const second = await Instance.start(t, peer.url, { directory });
    assert.equal(second.reason(ada), 'recorded: listed');
    assert.equal(second.reason(ada, maxAgeMs + 1_000), 'policy-stale');
    assert.deepEqual(second.table.missing, []);
    const again = await nats(t, { storeDirectory, port: peer.port });
    assert.ok(again);
    await new Writer(t, again.url).put(testPolicy([bob]));
    await eventually(() => second.reason(bob) === 'recorded: listed', 'the new policy decides', 15_000);
    await second.close();
    assert.equal(readdirSync(join(directory, 'contoso')).length, 2);
  });

  test('without a policy on disk the tenant is missing until NATS is there', async (t) => {
    const instance = await Instance.start(t, 'nats://127.0.0.1:9');
    assert.equal(instance.table.problem, 'none usable of contoso');
    assert.equal(instance.reason(ada), 'no-policy');
    assert.deepEqual(instance.lines, []);
  });
});
