// The test call of `helm test`: a pod for each cell that is called by one name, and a command line that `sidestream` takes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { runCli } from '../e2e/run-cli.js';
import { configurationOf } from './configuration.js';
import { chartFolder } from './helm.js';
import { podsOf } from './pods.js';
import { helm, objectsOf, skip } from './renders.js';
import { oneRegion } from './values.js';

const service = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.object({
    clusterIP: z.literal('None'),
    publishNotReadyAddresses: z.literal(true),
    selector: z.record(z.string(), z.string()),
    ports: z.array(z.looseObject({ port: z.int(), protocol: z.string() })),
  }),
});

const objects = () => objectsOf('test call');
const callPods = () => podsOf(objects()).filter(({ owner }) => owner.metadata.name.endsWith('-test-call'));

test('one recorded call goes through each cell, after OPTIONS, each by the name of its signalling', { skip }, () => {
  const called = callPods().map(({ owner, region, spec }) => {
    assert.equal(owner.metadata.annotations['helm.sh/hook'], 'test');
    assert.ok(Number(owner.metadata.annotations['helm.sh/hook-weight']) > 0);
    assert.ok(spec['activeDeadlineSeconds'], 'it ends whatever happens');
    return `${region}: ${spec.containers[0]?.args[1]}`;
  });
  const uri = (region: string) =>
    `${region}: sip:+12025550199@prod-sidestream-${region}-sip.voice.svc.cluster.local:5060;transport=tcp`;
  assert.deepEqual(called, ['eastus', 'northeurope', 'southeastasia'].map(uri));
});

test('the called party is found by its Service, and nothing else is', { skip }, () => {
  const found = objects().find(({ kind, metadata }) => kind === 'Service' && metadata.name.endsWith('-test-call'));
  const { selector, ports } = service.parse(found).spec;
  const selected = podsOf(objects()).filter(({ podLabels }) =>
    Object.entries(selector).every(([label, value]) => podLabels[label] === value),
  );
  assert.deepEqual(
    selected.map(({ owner }) => owner.metadata.name),
    callPods().map(({ owner }) => owner.metadata.name),
  );
  const [pod] = callPods();
  assert.deepEqual(
    ports.map(({ port, protocol }) => [port, protocol]),
    pod?.spec.containers[0]?.ports.map(({ containerPort, protocol }) => [containerPort, protocol]),
  );
});

test('its command line is one that `sidestream` takes: only its recorder is not there', { skip }, async () => {
  const [args = []] = callPods().map(({ spec }) => spec.containers[0]?.args ?? []);
  const local = args.map((arg) =>
    arg
      .replace('$(POD_IP)', '127.0.0.1')
      .replace(/@[^:]+:\d+/, '@127.0.0.1:1')
      .replace('http://recorder:8080', 'http://127.0.0.1:1'),
  );
  const { code, stdout, stderr } = await runCli(local, { timeoutMs: 30_000 });
  assert.equal(code, 1, stderr);
  assert.match(stdout, /FAULT .*ECONNREFUSED/);
});

test('without a number, or a recorder to ask, it is refused with its path', { skip }, () => {
  const of = (call: object) => () => helm().template({ values: { ...oneRegion, tests: { call } } });
  assert.throws(of({ enabled: true }), /tests\.call\.number is needed/);
  assert.throws(of({ enabled: true, number: '100' }), /tests\.call\.recorderStatus is needed/);
  assert.throws(of({ number: '100@elsewhere' }), /tests\.call\.number: Does not match pattern/);
});

test('the trunks that the README shows for it are taken, by the chart and by the services', { skip }, async () => {
  const readme = readFileSync(join(chartFolder, 'README.md'), 'utf8');
  const [, section = ''] = readme.split('## helm test');
  const shown = z
    .object({
      tests: z.object({ call: z.looseObject({ number: z.string() }) }),
      config: z.object({ trunks: z.object({}).loose() }),
    })
    .parse(parse(/```yaml\n(.*?)```/s.exec(section)?.[1] ?? ''));
  const trunks = { ...oneRegion.config.trunks, ...shown.config.trunks };
  const rendered = helm().template({ values: { ...oneRegion, ...shown, config: { ...oneRegion.config, trunks } } });
  for (const pod of podsOf(rendered)) await assert.doesNotReject(configurationOf(pod, rendered));
  assert.ok(JSON.stringify(rendered).includes(`sip:${shown.tests.call.number}@`));
});
