// Options of a stage with every service that there is, and with every metric that they have.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { IssuerSimulator } from '@sidestream/simulators';
import type { Stage, StageOptions } from '../e2e/stage.js';
import { TraceCollector } from './trace-collector.js';

export async function everyService(t: TestContext): Promise<StageOptions> {
  const records = mkdtempSync(join(tmpdir(), 'sidestream-records-'));
  t.after(() => rmSync(records, { recursive: true, force: true }));
  const audience = 'api://sidestream';
  const issuer = await IssuerSimulator.start({ audience });
  t.after(() => issuer.close());
  const collector = await TraceCollector.start(t);
  return {
    provider: {},
    configure: (config) => {
      config.signalling = { ...config.signalling, records: { directory: records } };
      config.gateway = { issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience }] };
      config.telemetry = { traces: { endpoint: collector.endpoint } };
      config.mediaRelay = { ...config.mediaRelay, forks: { lookEvery: '1s' } };
    },
  };
}

/** Name and management address of each. */
export function managementOf({ laboratory }: Stage): [service: string, url: string][] {
  return Object.entries(laboratory.deployment.status.addresses)
    .filter(([name]) => name.endsWith('.management'))
    .map(([name, url]) => [name.replace('.management', ''), url]);
}
