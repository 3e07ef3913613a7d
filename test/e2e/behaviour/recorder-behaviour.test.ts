// Whatever a recorder does, the call does not suffer, and the recording is made or its end is known. The table is in rows.ts.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { eventually, reasonToSkip, startNats, startRtpengine } from '@sidestream/peers';
import { writesDocuments } from '../config.js';
import { BehaviourStage } from './behaviour-stage.js';
import { Meeting } from './meeting.js';
import { observeCall } from './observed-call.js';
import { describeOutcome } from './outcome.js';
import { behaviourPage } from './page.js';
import { groups } from './rows.js';

const page = new URL('../../../../docs/recorder-behaviour.md', import.meta.url);
const usualGraceMs = 2_000;

const rows = groups.flatMap((group) => group.rows).filter(({ pending }) => pending === undefined);
let missing: Promise<string | undefined> | undefined;
let started: Promise<BehaviourStage> | undefined;

after(async () => {
  const stage = await started?.catch(() => undefined);
  await stage?.stop();
});

test('docs/recorder-behaviour.md says what the tests prove', () => {
  const text = behaviourPage();
  if (writesDocuments()) writeFileSync(page, text);
  const [written, wanted] = [readFileSync(page, 'utf8'), text].map((lines) => lines.split('\n'));
  const differing = wanted?.findIndex((line, index) => line !== written?.[index]) ?? 0;
  assert.equal(differing, -1, `line ${differing + 1} differs; SIDESTREAM_WRITE_DOCS=1 writes the page`);
  assert.equal(written?.length, wanted?.length);
});

for (const group of groups) {
  const active = group.rows.filter(({ pending }) => pending === undefined);
  /** What is left after the end can be told of all calls of a group together only. */
  const end = new Meeting(active.length);
  describe(`the recorder ${group.title}`, { concurrency: Math.max(1, group.rows.length) }, () => {
    for (const row of group.rows) {
      const { name, outcome, gapMs, detail, graceMs = usualGraceMs, keepsSession = false, pending } = row;
      test(`${name}: the recording ${describeOutcome(outcome, gapMs)}`, { skip: pending ?? false }, async (t) => {
        missing ??= reasonToSkip([startNats, startRtpengine]);
        const reason = await missing;
        if (reason !== undefined) return t.skip(reason);
        started ??= BehaviourStage.start(rows);
        const stage = await started;
        const lane = stage.lane(row);
        const observed = await end.afterAll(observeCall(stage, row));
        assert.deepEqual(observed.outcome, outcome, observed.detail);
        if (detail !== undefined) assert.match(observed.detail, detail);
        if (gapMs !== undefined) assert.ok(observed.gapMs <= gapMs, `a gap of ${observed.gapMs} ms`);
        const left = async () => {
          const { dialogs, mediaSessions, recordings } = await stage.orphans();
          const sessions = lane.second.active + (keepsSession ? 0 : lane.first.active);
          return { dialogs, mediaSessions, recordings, sessions };
        };
        const nothing = async () => Object.values(await left()).every((count) => count === 0);
        await eventually(nothing, 'nothing is left', graceMs).catch(() => undefined);
        assert.deepEqual(await left(), { dialogs: 0, mediaSessions: 0, recordings: 0, sessions: 0 });
        const sessions = keepsSession ? lane.second.sessions : [...lane.first.sessions, ...lane.second.sessions];
        for (const session of sessions) assert.notEqual(await session.ended, 'error', 'a session without BYE');
        assert.deepEqual(lane.findings, [], 'what the recorders find wrong');
        return undefined;
      });
    }
  });
}
