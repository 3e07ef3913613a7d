// `sidestream demo`: the whole main job on this machine, with a proof for people or for programs.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { eventually } from '@sidestream/peers';
import Table from 'cli-table3';
import { drawLadder } from '../demo/ladder.js';
import { type CallProof, type DemoCall, type ProviderProof, Scenario } from '../demo/scenario.js';
import { writeScrapeTargets } from '../demo/scrape-targets.js';
import { StageSet } from '../demo/stay.js';
import type { Orphans } from '../laboratory.js';

export interface DemoOptions {
  readonly json: boolean;
  readonly out: string;
  readonly keepLogs: boolean;
  /** Folder of edge-config, for a drachtio-server instead of our own edge. */
  readonly edge?: string | undefined;
  /** Keeps everything up after the calls, with pages to look at, until it is interrupted. */
  readonly stay: boolean;
  /** File for Prometheus' file_sd. */
  readonly targets?: string | undefined;
}

interface DemoProof {
  readonly ok: boolean;
  readonly provider: ProviderProof;
  readonly calls: readonly CallProof[];
  readonly orphans: Orphans;
}

const orphanGraceMs = 5_000;

/** Runs the demo; the exit code is 0 only if everything is proven. */
export async function demo({ json, out, keepLogs, edge, stay, targets }: DemoOptions): Promise<number> {
  const started = Date.now();
  const say = (what: string) =>
    process.stderr.write(`${((Date.now() - started) / 1_000).toFixed(1).padStart(5)} s  ${what}\n`);
  const set = stay ? await StageSet.build() : undefined;
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-demo-'));
  const interruption = interrupted();
  const calls: DemoCall[] = [];
  let orphans: Orphans;
  let provider: Awaited<ReturnType<Scenario['provider']>>;
  let scenario: Scenario | undefined;
  try {
    scenario = await interruption.before(
      Scenario.start({
        directory,
        edge,
        onLog: (line) => keepLogs && process.stderr.write(`${line}\n`),
        onProgress: (what) => say(`starting ${what}`),
        ...(set && { configure: (config) => set.configure(config) }),
      }),
    );
    if (targets !== undefined) writeScrapeTargets(targets, scenario.laboratory.deployment.status.addresses);
    say('ready');
    provider = await interruption.before(scenario.provider());
    const { registration, policy } = provider.proof;
    say(`tenant contoso: ${registration.outcome} with the provider`);
    say(`policy ${policy.revision}: ${policy.users} ${policy.users === 1 ? 'user' : 'users'} to record`);
    for (const fault of provider.faults) process.stderr.write(`  ✗ ${fault}\n`);
    const running = scenario.calls(say);
    for (
      let step = await interruption.before(running.next());
      !step.done;
      step = await interruption.before(running.next())
    ) {
      const call = step.value;
      calls.push(call);
      keepRecording(call, out);
      if (!json) process.stdout.write(`\n${call.proof.id}\n${drawLadder(call.ladder)}\n\n`);
      for (const fault of call.faults) process.stderr.write(`  ✗ ${call.proof.id}: ${fault}\n`);
    }
    await set?.play(scenario, say, interruption.told);
    orphans = await remaining(scenario);
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    say(`${error.message}: stopping`);
    await scenario?.stop();
    rmSync(directory, { recursive: true, force: true });
    // What was only being started ends with this process.
    process.exit(130);
  } finally {
    say('stopping');
    await scenario?.stop();
    await set?.close();
    rmSync(directory, { recursive: true, force: true });
  }
  const clean = Object.values(orphans).every((count) => count === 0);
  const proof: DemoProof = {
    ok: clean && [provider, ...calls].every(({ faults }) => faults.length === 0),
    provider: provider.proof,
    calls: calls.map((call) => call.proof),
    orphans,
  };
  if (json) process.stdout.write(`${JSON.stringify(proof, null, 2)}\n`);
  else process.stdout.write(`${drawTable(proof)}\n${summary(proof, out)}\n`);
  say(proof.ok ? 'proven' : 'NOT proven');
  return proof.ok ? 0 : 1;
}

/** Somebody wants the demo to end. */
class Interruption extends Error {}

/** Turns SIGINT and SIGTERM into a rejection of whatever is awaited at that moment. */
function interrupted(): { told: Promise<never>; before<T>(work: Promise<T>): Promise<T> } {
  const told = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Interruption(signal)));
  });
  told.catch(() => undefined);
  return { told, before: (work) => Promise.race([work, told]) };
}

/** Leaves `<out>/<call>/{inbound.wav,outbound.wav,invite.sip,bye.sip,metadata.xml}`. */
function keepRecording({ proof, recordingDirectory }: DemoCall, out: string): void {
  if (recordingDirectory === undefined) return;
  const target = join(out, proof.id);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  cpSync(recordingDirectory, target, { recursive: true });
}

/** What is left once everything had time to go. */
async function remaining(scenario: Scenario): Promise<Orphans> {
  const isClean = async () => Object.values(await scenario.laboratory.orphans()).every((count) => count === 0);
  await eventually(isClean, 'nothing is left', orphanGraceMs).catch(() => undefined);
  return scenario.laboratory.orphans();
}

function drawTable({ calls }: DemoProof): string {
  const table = new Table({
    head: ['call', 'recorded', 'stream', 'voice of', 'sent', 'received', 'lost', 'auth failures', 'identical'],
    style: { head: [], border: [] },
  });
  for (const { id, recorded, reason, streams } of calls) {
    if (streams.length === 0) table.push([id, `${recorded ? 'yes' : 'no'} (${reason})`, '', '', '', '', '', '', '']);
    for (const stream of streams) {
      const { label, party, packetsSent, packetsReceived, lost, authFailures, identical } = stream;
      const numbers = [packetsSent, packetsReceived, lost, authFailures].map(String);
      table.push([id, `yes (${reason})`, label, party, ...numbers, identical ? 'yes' : 'NO']);
    }
  }
  return table.toString();
}

function summary({ ok, provider: { registration, policy }, calls, orphans }: DemoProof, out: string): string {
  const recorder = calls.find((call) => call.recorder)?.recorder;
  return [
    `provider: tenant ${registration.outcome}, policy ${policy.revision} names ${policy.users}`,
    recorder &&
      `recorder: ${recorder.host}, ${recorder.tlsVersion}, client certificate ${recorder.clientCertificateSubject}`,
    `post-dial delay added: ${calls.map((call) => `${call.postDialDelayMs} ms`).join(', ')}`,
    `left behind: ${orphans.dialogs} dialogs, ${orphans.mediaSessions} media sessions, ${orphans.recordings} recordings`,
    `recordings and messages: ${relative(process.cwd(), out) || out}/<call>/`,
    ok ? 'Everything is proven.' : 'NOT everything is proven: see above.',
  ]
    .filter(Boolean)
    .join('\n');
}
