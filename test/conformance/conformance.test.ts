// The SIP flows that telephony people try first, with sipp as every party, against a whole deployment. The flows are in flows/.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { eventually, reasonToSkip, sippMissing, startNats, startRtpengine } from '@sidestream/peers';
import { writesDocuments } from '../e2e/config.js';
import { ConformanceStage } from './conformance-stage.js';
import { flowId, groups, runsOf } from './flows.js';
import { conformancePage, type FlowResult } from './page.js';
import { playFlow } from './play.js';
import type { Step } from './steps.js';

const page = new URL('../../../docs/sip-conformance.md', import.meta.url);
/** Flows that run at a time: two or three processes each. */
const concurrency = 6;
/** RFC 3261 keeps transactions for 64*T1. */
const forgottenMs = 40_000;

const runs = groups.flatMap(runsOf).filter(({ scenario }) => scenario.pending === undefined);
const results = new Map<string, FlowResult>();
let missing: Promise<string | undefined> | undefined;
let started: Promise<ConformanceStage> | undefined;

function heardIn(steps: readonly Step[]): string[] {
  return steps.flatMap((step) =>
    step.does === 'hear' && !step.again && !step.kind.startsWith('100 ') ? [step.kind] : [],
  );
}

function whatIsMissing(): Promise<string | undefined> {
  missing ??= Promise.resolve(sippMissing() ?? reasonToSkip([startNats, startRtpengine]));
  return missing;
}

after(async () => {
  const stage = await started?.catch(() => undefined);
  await stage?.stop();
});

describe('SIP flows', { concurrency }, () => {
  for (const { scenario, protocol } of groups.flatMap(runsOf)) {
    const id = flowId(scenario, protocol);
    test(id, { skip: scenario.pending ?? false }, async (t) => {
      const reason = await whatIsMissing();
      if (reason !== undefined) return t.skip(reason);
      started ??= ConformanceStage.start(runs);
      const stage = await started;
      results.set(id, { passed: false, heard: {} });
      const lane = stage.lane(scenario, protocol);
      await playFlow(stage, lane);
      // Each has heard just what its steps say; these have an order that no race changes.
      const heard = lane.parties.map(({ name, steps }) => [name, heardIn(steps).join(', ')] as const);
      results.set(id, { passed: true, heard: Object.fromEntries(heard) });
      return undefined;
    });
  }
});

test('after all flows nothing is left: no dialog, media session or recording, and no recorder has found a fault', async (t) => {
  const reason = await whatIsMissing();
  if (reason !== undefined) return t.skip(reason);
  const { laboratory } = (await started) ?? assert.fail('no flow has run');
  const left = async () => Object.values(await laboratory.orphans()).reduce((sum, one) => sum + one, 0);
  await eventually(async () => (await left()) === 0, 'nothing is left', forgottenMs).catch(() => undefined);
  assert.deepEqual(await laboratory.orphans(), { dialogs: 0, mediaSessions: 0, recordings: 0 });
  assert.deepEqual(
    laboratory.recorder.sessions.flatMap(({ findings }) => findings),
    [],
  );
  return undefined;
});

test('docs/sip-conformance.md says what a run gives', async (t) => {
  const reason = await whatIsMissing();
  if (reason !== undefined) return t.skip(reason);
  const text = conformancePage(groups, results);
  if (writesDocuments()) writeFileSync(page, text);
  const [written, wanted] = [readFileSync(page, 'utf8'), text].map((lines) => lines.split('\n'));
  const differing = wanted?.findIndex((line, index) => line !== written?.[index]) ?? 0;
  assert.equal(
    differing,
    -1,
    `line ${differing + 1} differs; SIDESTREAM_WRITE_DOCS=1 writes the page: ${wanted?.[differing]}`,
  );
  assert.equal(written?.length, wanted?.length);
  return undefined;
});
