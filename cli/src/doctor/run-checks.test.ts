import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, configSchema } from '@sidestream/service';
import { type Check, ok, type Probe, type Result } from './check.js';
import { Examined } from './examined.js';
import { reportJson, reportText, sumOf } from './report.js';
import { runChecks } from './run-checks.js';

const config = configSchema.parse({
  nats: { servers: ['nats://127.0.0.1:4222'] },
  ...{ regions: {}, tenants: {}, trunks: {}, signalling: {} },
  mediaRelay: { rtpengine: { ng: '127.0.0.1:22222' } },
});
const examined = (timeoutMs: number) =>
  new Examined({ file: 'a.yaml', config, names: ['nats'], tenant: undefined, timeoutMs });
const check = (name: Check['name'], ...runs: Probe['run'][]): Check => ({
  ...{ name, about: '' },
  probes: () => runs.map((run, index) => ({ where: `${name} ${index}`, todo: 'start it', run })),
});

test('a probe that never ends fails at its deadline and is told to stop; the others are heard', async () => {
  let stopped = false;
  const told: string[] = [];
  const results = await runChecks(
    [
      check('nats', (signal) => {
        signal.addEventListener('abort', () => {
          stopped = true;
        });
        return new Promise(() => undefined);
      }),
      check('dns', () => [ok('here', 'there')]),
    ],
    examined(100),
    ({ name }) => told.push(name),
  );
  assert.deepEqual(results, [
    { name: 'nats', state: 'fail', where: 'nats 0', what: 'no answer within 0.1 s', todo: 'start it' },
    { name: 'dns', state: 'ok', where: 'here', what: 'there' },
  ]);
  assert.ok(stopped);
  assert.deepEqual(told, ['dns', 'nats']);
});

test('what a probe throws, at once or later, is its failure; a check without probes is skipped', async () => {
  const results = await runChecks(
    [
      check(
        'nats',
        () => {
          throw new Error('at once', { cause: new Error('broken') });
        },
        async () => {
          throw new AggregateError([new Error('refused')]);
        },
      ),
      check('trunks'),
      {
        name: 'edge',
        about: '',
        probes: () => {
          throw new Error('a fault');
        },
      },
    ],
    examined(10_000),
    () => undefined,
  );
  assert.deepEqual(
    results.map(({ state, what }) => `${state} ${what}`),
    ['fail at once: broken', 'fail refused', 'skipped there is nothing of the kind in this deployment', 'fail a fault'],
  );
});

test('more probes than run at a time are all heard, in their order', async () => {
  const runs = Array.from({ length: 50 }, (_, index) => () => [ok(String(index), '')]);
  const results = await runChecks([check('dns', ...runs)], examined(10_000), () => undefined);
  assert.deepEqual(
    results.map(({ where }) => Number(where)),
    runs.map((_, index) => index),
  );
});

test('who fails because of another check is skipped, if that one runs', () => {
  assert.equal(examined(1).blames('nats', 'here', 'it is away')?.what, 'it is away: see nats');
  assert.equal(examined(1).blames('dns', 'here', 'it is away'), undefined);
});

test('a tenant that is not there is a wrong configuration', () => {
  const make = () => new Examined({ file: 'a.yaml', config, names: [], tenant: 'nobody', timeoutMs: 1 });
  assert.throws(make, ConfigError);
});

test('the report: checks in their order, what to do below, nothing that commands a terminal, the sum', () => {
  const results: Result[] = [
    { name: 'nats', state: 'fail', where: 'nats.servers.0', what: 'gone\x1b[2J', todo: 'start it' },
    { name: 'config', state: 'ok', where: 'a.yaml', what: 'fine' },
    { name: 'dns', state: 'warn', where: 'a', what: 'slow', todo: 'cache' },
    { name: 'dns', state: 'ok', where: 'b', what: 'quick' },
    { name: 'dns', state: 'ok', where: 'd', what: 'quick' },
    { name: 'edge', state: 'skipped', where: 'c', what: 'none' },
  ];
  assert.equal(
    reportText(results, false),
    `ok    config       a.yaml: fine
warn  dns          a: slow
                   → cache
ok    dns          b, d: quick
FAIL  nats         nats.servers.0: gone?[2J
                   → start it
-     edge         c: none

4 checks: 1 ok, 1 with warnings, 1 failed, 1 skipped
`,
  );
  assert.ok(reportText(results, true).startsWith('\x1b[32mok   \x1b[0m config'));
  assert.equal(sumOf(results.slice(1, 2)), '1 check: 1 ok, 0 with warnings, 0 failed, 0 skipped');
  const { ok: isOk, checks } = reportJson('a.yaml', results) as { ok: boolean; checks: Result[] };
  assert.deepEqual([isOk, checks[0]?.name, checks.length], [false, 'config', 6]);
});
