// Records of a stage's calls, read as operators read them.
import assert from 'node:assert/strict';
import { eventually } from '@sidestream/peers';
import { runCli } from './run-cli.js';
import type { Stage } from './stage.js';

const timeoutMs = 30_000;

/** What a command on the stage's deployment prints. */
export async function runOn(stage: Stage, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli([...args, '--config', stage.laboratory.configFile], { timeoutMs });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The record of the laboratory's call, once it has been published. */
export async function recordOf(stage: Stage, nth = 0) {
  const { laboratory } = stage;
  const { callId = '' } = laboratory.bodies('callStarted')[nth] ?? {};
  await eventually(
    async () => (await laboratory.metric('signalling', 'sidestream_call_records_published_total')) === nth + 1,
    'the record is published',
  );
  return { callId, record: JSON.parse(await runOn(stage, 'calls', 'show', callId, '--json')) };
}
