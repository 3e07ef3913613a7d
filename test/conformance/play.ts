// Plays one flow: a sipp for each party, then what they heard and what Sidestream says became of the call.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, runSipp, sippListens } from '@sidestream/peers';
import type { ConformanceLane, ConformanceStage, LaneParty } from './conformance-stage.js';
import { checkAlways, checkSteps, type PartyView } from './ladder-checks.js';
import { readSippLog } from './sipp-log.js';
import { sippScenario } from './sipp-xml.js';

/** More than 64*T1, after which an INVITE without a response is given up. */
const flowSeconds = 50;
const messageSeconds = 40;
const eventMs = 10_000;

/** Plays the flow and asserts everything about it. */
export async function playFlow(stage: ConformanceStage, lane: ConformanceLane): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sidestream-flow-'));
  const over = new AbortController();
  try {
    const edge = stage.laboratory.sipAddress(lane.protocol);
    const [caller, ...called] = lane.parties.filter(({ steps }) => steps.length > 0);
    if (caller === undefined) throw new Error('nobody calls');
    const runs = [];
    for (const party of called) {
      runs.push(runParty(directory, lane, party, edge, over));
      await sippListens(party.protocol, party.port, undefined, party.host);
    }
    const outcomes = await Promise.all([runParty(directory, lane, caller, edge, over), ...runs]);
    const failed = outcomes.filter(({ problem }) => problem !== undefined);
    assert.deepEqual(
      failed.map(({ problem }) => problem),
      [],
      ladders(outcomes),
    );
    for (const { view, party } of outcomes) checkSteps(view, party.steps);
    const views = outcomes.map(({ view }) => view);
    checkAlways(views, edge.replace(/:\d+$/, ''));
    await checkOutcome(stage, lane);
  } finally {
    over.abort();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Outcome {
  readonly party: LaneParty;
  readonly view: PartyView;
  readonly problem: string | undefined;
}

async function runParty(
  directory: string,
  lane: ConformanceLane,
  party: LaneParty,
  edge: string,
  over: AbortController,
): Promise<Outcome> {
  const { name, host, port, protocol, number, steps } = party;
  const [file, log, audioFile] = [`${name}.xml`, `${name}.log`, 'audio.raw'].map((one) => join(directory, one));
  if (file === undefined || log === undefined || audioFile === undefined) throw new Error('no files');
  const other = lane.parties.find((one) => one.name === (name === 'caller' ? 'callee' : 'caller'));
  const callsUri = `sip:${other?.number}@${edge}`;
  const role = name === 'caller' ? 'caller' : 'called';
  await writeFile(file, sippScenario({ number, callsUri, role, audioFile }, steps));
  await writeFile(audioFile, Buffer.alloc(8_000, 0xd5));
  const args = [
    ...(role === 'caller' ? [edge] : ['-rtp_echo']),
    ...['-sf', file, '-i', host, '-mi', host, '-p', String(port), '-t', protocol === 'udp' ? 'u1' : 't1'],
    ...['-m', '1', '-timeout', String(flowSeconds), '-timeout_error', '-recv_timeout', String(1_000 * messageSeconds)],
    ...['-trace_msg', '-message_file', log, '-message_overwrite', 'false'],
    ...(lane.scenario.withoutRetransmission === true ? ['-nr'] : []),
  ];
  const { code, output } = await runSipp(args, over.signal);
  // The other one would wait for ever.
  if (code !== 0) over.abort();
  const text = await readFile(log, 'utf8').catch(() => '');
  const problem = code === 0 ? undefined : `${name} (${code}): ${faults(output)}`;
  return { party, problem, view: { name, host, messages: readSippLog(text) } };
}

/** What sipp says went wrong, without its screens. */
function faults(output: string): string {
  const lines = output.split('\n').filter((line) => /abort|unexpected|error|time-?out|not found|unable/i.test(line));
  return lines
    .filter((line) => !/Unexpected-Msg|open sockets|\| +0 /.test(line))
    .slice(0, 6)
    .join('; ')
    .slice(0, 1_500);
}

function ladders(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(({ problem, view: { name, messages } }) => {
      const lines = messages.map(({ which, kind }) => `${which === 'sent' ? '>' : '<'} ${kind}`);
      return `${problem ?? `${name}: went well`}\n  ${lines.join(', ')}\n${messages.at(-1)?.text ?? ''}`;
    })
    .join('\n');
}

/** What the events say: how the call ended, and whether it was recorded to its end. */
async function checkOutcome(stage: ConformanceStage, lane: ConformanceLane): Promise<void> {
  const { ends, recorded = ends === 'hangup' } = lane.scenario;
  if (ends === undefined) {
    assert.deepEqual(stage.events(lane, 'callStarted'), [], 'no call comes about');
    return;
  }
  const ended = () => stage.events(lane, 'callEnded');
  await eventually(() => ended().length > 0, 'the call has ended', eventMs);
  assert.deepEqual(
    ended().map(({ termination }) => termination?.reason),
    [ends],
    ended()[0]?.termination?.detail,
  );
  if (!recorded) return;
  const reasons = () => [...stage.events(lane, 'recordingEnded'), ...stage.events(lane, 'recordingFailed')];
  await eventually(() => reasons().length > 0, 'the recording has ended', eventMs);
  assert.deepEqual(
    reasons().map(({ termination }) => termination?.reason),
    ['call-ended'],
    'the recording',
  );
}
