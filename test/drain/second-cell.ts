// A second set of instances beside the stage's, of the same configuration: an edge, a signalling, a relay with its own rtpengine.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { accountId, Deployment, type LaboratoryConfig } from '@sidestream/cli';
import { startRtpengine } from '@sidestream/peers';
import { RecorderSimulator } from '@sidestream/simulators';
import { parse, stringify } from 'yaml';
import type { Stage } from '../e2e/stage.js';

const readyMs = 60_000;

/** Starts it and waits until it is ready; it ends with the test. */
export async function startSecondCell(
  t: TestContext,
  stage: Stage,
  configure: (config: LaboratoryConfig) => void = () => undefined,
): Promise<Deployment> {
  const { peer, reason } = await startRtpengine();
  if (!peer) throw new Error(reason);
  t.after(() => peer.stop());
  const first = stage.laboratory.configFile;
  const config: LaboratoryConfig = parse(readFileSync(first, 'utf8'));
  config.signalling.id = 's2';
  config.signalling.stateDirectory = 'state-2';
  config.mediaRelay.id = 'r2';
  config.mediaRelay.rtpengine.ng = peer.ng;
  configure(config);
  const configFile = join(dirname(first), 'second.yaml');
  writeFileSync(configFile, stringify(config));
  const deployment = await Deployment.start({ configFile, onLog: () => undefined });
  t.after(() => deployment.stop());
  await deployment.ready(readyMs);
  return deployment;
}

/** A recorder for the second cell alone, of the same keys as the stage's; it ends with the test. */
export async function startOwnRecorder(
  t: TestContext,
  stage: Stage,
): Promise<{ recorder: RecorderSimulator; uri: string }> {
  const file = (name: string) => join(dirname(stage.laboratory.configFile), name);
  const recorder = await RecorderSimulator.start({
    tls: { certFile: file('recorder.crt'), keyFile: file('recorder.key'), trustFile: file('ca.crt') },
    accountId,
  });
  t.after(() => recorder.close());
  return { recorder, uri: `sip:SRS@localhost:${recorder.address.port};transport=tls` };
}

/** Where a deployment's edge takes a called number, over UDP. */
export function uriAt(deployment: Deployment, number: string): string {
  return `sip:${number}@${(deployment.status.addresses['sip-edge.sip.udp'] ?? '').replace(/^\w+:(\/\/)?/, '')}`;
}

/** What a service of a deployment says of a metric, all labels together. */
export async function gauge(deployment: Deployment, service: string, name: string): Promise<number> {
  const base = deployment.status.addresses[`${service}.management`];
  const text = await (await fetch(`${base}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
