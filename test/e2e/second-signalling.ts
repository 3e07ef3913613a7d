// Another signalling instance in the stage's deployment, `s2`, with an edge of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ServiceProcess } from '@sidestream/cli';
import type { Stage } from './stage.js';

export interface SecondSignalling {
  readonly service: ServiceProcess;
  /** Of its gRPC. */
  readonly grpc: string;
  /** Of a number behind its edge. */
  readonly uri: (number: string) => string;
}

/** Starts it, for as long as the test runs. */
export async function startSecond(t: TestContext, { laboratory }: Stage): Promise<SecondSignalling> {
  const secrets = mkdtempSync(join(tmpdir(), 'sidestream-second-'));
  t.after(() => rmSync(secrets, { recursive: true, force: true }));
  const secret = join(secrets, 'edge-secret');
  writeFileSync(secret, 'of the second edge', { mode: 0o600 });
  const start = async (name: string, more: Record<string, string> = {}) => {
    const known = { SIDESTREAM_CONFIG: laboratory.configFile, SIDESTREAM_EDGE_SECRET_FILE: secret };
    const service = new ServiceProcess({ name, environment: { ...known, ...more }, onLog: () => undefined });
    t.after(() => service.stop(10_000));
    return { service, addresses: (await service.ready(20_000)).addresses };
  };
  const edge = await start('sip-edge');
  const { service, addresses } = await start('signalling', {
    SIDESTREAM_INSTANCE: 's2',
    SIDESTREAM_EDGE: edge.addresses['admin'] ?? '',
  });
  const at = (edge.addresses['sip.udp'] ?? '').replace(/^\w+:(\/\/)?/, '');
  return { service, grpc: addresses['grpc'] ?? '', uri: (number) => `sip:${number}@${at}` };
}
