// A whole deployment that a real Prometheus scrapes, with the alerts that the chart ships.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { type PrometheusPeer, reasonToSkip, requirePeer, startPrometheus } from '@sidestream/peers';
import { IssuerSimulator } from '@sidestream/simulators';
import { Stage } from '../e2e/stage.js';
import { alertFolder, yamlFiles } from './alert-files.js';
import { PrometheusClient } from './prometheus-client.js';

export const scrapeSeconds = 1;

export class MonitoredStage {
  readonly stage: Stage;
  readonly prometheus: PrometheusClient;

  private constructor(stage: Stage, { url }: PrometheusPeer) {
    this.stage = stage;
    this.prometheus = new PrometheusClient(url);
  }

  /** Every service there is. Undefined, with the test skipped, where the machine lacks the real parts. */
  static async start(t: TestContext): Promise<MonitoredStage | undefined> {
    const missing = await reasonToSkip([startPrometheus]);
    if (missing !== undefined) {
      t.skip(missing);
      return undefined;
    }
    const records = mkdtempSync(join(tmpdir(), 'sidestream-records-'));
    t.after(() => rmSync(records, { recursive: true, force: true }));
    const audience = 'api://sidestream';
    const issuer = await IssuerSimulator.start({ audience });
    t.after(() => issuer.close());
    const stage = await Stage.start(t, {
      provider: {},
      configure: (config) => {
        config.signalling = { ...config.signalling, records: { directory: records } };
        config.gateway = { issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience }] };
        config.mediaRelay = { ...config.mediaRelay, forks: { lookEvery: '1s' } };
      },
    });
    if (stage === undefined) return undefined;
    const { addresses } = stage.laboratory.deployment.status;
    const management = Object.entries(addresses).filter(([name]) => name.endsWith('.management'));
    const peer = requirePeer(
      await startPrometheus({
        // As an operator's pod monitors would label them.
        targets: management.map(([name, url]) => ({
          job: name.replace('.management', ''),
          address: new URL(url).host,
          labels: { namespace: 'demo', pod: name.replace('.management', '-0') },
        })),
        rules: Object.fromEntries(yamlFiles(alertFolder).map((file) => [basename(file), readFileSync(file, 'utf8')])),
        intervalSeconds: scrapeSeconds,
      }),
    );
    t.after(() => peer.stop());
    return new MonitoredStage(stage, peer);
  }
}
