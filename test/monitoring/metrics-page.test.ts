// Every metric of every service: told in docs/metrics.md, named as Prometheus wants it, and with few series.
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { unlistedSeller } from '@sidestream/cli';
import { eventually, findExecutable } from '@sidestream/peers';
import type { MetricDescription } from '@sidestream/service';
import { writesDocuments } from '../e2e/config.js';
import { customerNumber, Stage } from '../e2e/stage.js';
import { everyService, managementOf } from './every-service.js';
import { metricsPage } from './metrics-page.js';

const page = new URL('../../../docs/metrics.md', import.meta.url);
/** Of one metric of one process in a demo: every reason for which a call may end is there from the start. */
const maxLabelSets = 60;

interface Exposed {
  readonly service: string;
  readonly names: MetricDescription[];
  readonly text: string;
}

const get = async (url: string) => await fetch(url, { signal: AbortSignal.timeout(10_000) });

/** What each process exposes after a call that is recorded, one that is not, and one in the other direction. */
async function afterCalls(stage: Stage): Promise<{ exposed: Exposed[]; secrets: string[] }> {
  const { laboratory } = stage;
  for (const begin of [() => stage.inbound(), () => stage.inbound(unlistedSeller.number), () => stage.outbound()]) {
    const call = await begin();
    await stage.talk(call, 30);
    await call.customer.hangUp();
    const begun = laboratory.bodies('callStarted').length;
    await eventually(() => laboratory.bodies('callEnded').length === begun, 'the call is over');
  }
  const published = () => laboratory.metric('signalling', 'sidestream_call_records_published_total');
  await eventually(async () => (await published()) >= 3, 'their records are written', 30_000);
  const exposed = managementOf(stage).map(async ([service, url]) => ({
    service,
    names: (await (await get(`${url}/metrics/names`)).json()) as MetricDescription[],
    text: await (await get(`${url}/metrics`)).text(),
  }));
  const calls = laboratory.bodies('callStarted');
  const numbers = [customerNumber, unlistedSeller.number, ...calls.flatMap(({ calling, called }) => [calling, called])];
  return {
    exposed: await Promise.all(exposed),
    secrets: [
      ...calls.map(({ callId }) => callId),
      ...laboratory.bodies('callAnswered').map(({ recordingCallId }) => recordingCallId),
      ...numbers.map((uri) =>
        uri
          .replace(/^sips?:/, '')
          .replace(/@.*/, '')
          .replace('+', ''),
      ),
    ].filter((text) => text.length > 3),
  };
}

/** The labels of each sample, `le` apart. */
function labelSets(text: string): { name: string; labels: Record<string, string> }[] {
  return text.split('\n').flatMap((line) => {
    const [, name = '', inner = ''] = /^(\w+)\{(.*)\} \S+$/.exec(line) ?? [];
    const pairs = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', value = '']) => [label, value]);
    return name === '' ? [] : [{ name, labels: Object.fromEntries(pairs.filter(([label]) => label !== 'le')) }];
  });
}

test('the metrics of a running deployment', async (t) => {
  const stage = await Stage.start(t, await everyService(t));
  if (!stage) return;
  const { exposed, secrets } = await afterCalls(stage);
  assert.equal(exposed.length, 6);

  await t.test('docs/metrics.md tells them all', () => {
    const text = metricsPage(new Map(exposed.map(({ service, names }) => [service, names])));
    if (writesDocuments()) writeFileSync(page, text);
    const [written, wanted] = [readFileSync(page, 'utf8'), text].map((lines) => lines.split('\n'));
    const differing = wanted?.findIndex((line, index) => line !== written?.[index]) ?? 0;
    assert.equal(
      differing,
      -1,
      `line ${differing + 1} differs; npm run metrics writes the page: ${wanted?.[differing]}`,
    );
    assert.equal(written?.length, wanted?.length);
  });

  await t.test('promtool finds no fault in names, units and help', (sub) => {
    const promtool = findExecutable('promtool');
    if (promtool === undefined) return sub.skip('promtool is not installed');
    for (const { service, text } of exposed) {
      // Those of prom-client are named by others.
      const input = text.split('\n').filter((line) => /^(# \w+ )?sidestream_/.test(line));
      const { status, stdout, stderr }: SpawnSyncReturns<string> = spawnSync(promtool, ['check', 'metrics'], {
        input: `${input.join('\n')}\n`,
        encoding: 'utf8',
        timeout: 30_000,
      });
      assert.equal(`${stdout}${stderr}`, '', service);
      assert.equal(status, 0, service);
    }
  });

  await t.test('there are few series, and no label holds a number, a call or a party', () => {
    const configuration = readFileSync(stage.laboratory.configFile, 'utf8');
    for (const { service, text } of exposed) {
      const sets = new Map<string, Set<string>>();
      for (const { name, labels } of labelSets(text)) {
        const family = name.replace(/_(bucket|sum|count)$/, '');
        sets.set(family, (sets.get(family) ?? new Set()).add(JSON.stringify(labels)));
        for (const [label, value] of Object.entries(labels)) {
          const told = `${service}: ${name}{${label}="${value}"}`;
          for (const secret of secrets) assert.ok(!value.includes(secret), told);
          // A revision has one series. Recorders and targets are places of the configuration.
          const place = value.replace(/^sip:([^;@]+)(;transport=\w+)$/, '$1');
          if (!['revision', 'version'].includes(label) && !configuration.includes(place))
            assert.doesNotMatch(value, /\d{4,}|@|^sips?:/, told);
        }
      }
      assert.ok(sets.size > 20, `${service} exposes ${sets.size} metrics`);
      for (const [name, { size }] of sets) assert.ok(size <= maxLabelSets, `${service}: ${name} has ${size} series`);
    }
  });
});
