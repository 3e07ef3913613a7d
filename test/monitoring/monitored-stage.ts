// A whole deployment that a real Prometheus scrapes, with the alerts that the chart ships.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { TestContext } from 'node:test';
import { type PrometheusPeer, reasonToSkip, requirePeer, startPrometheus } from '@sidestream/peers';
import { Stage } from '../e2e/stage.js';
import { alertFolder, yamlFiles } from './alert-files.js';
import { everyService, managementOf } from './every-service.js';
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
    // Parties that tell how they hear, as telephones do: of others nobody knows how they sound.
    const parties = { customer: { reportEveryMs: 250 }, seller: { reportEveryMs: 250 } };
    const stage = await Stage.start(t, { ...(await everyService(t)), ...parties });
    if (stage === undefined) return undefined;
    const peer = requirePeer(
      await startPrometheus({
        // As an operator's pod monitors would label them.
        targets: managementOf(stage).flatMap(([name, url]) => {
          const labels = { namespace: 'demo', pod: `${name}-0` };
          const target = { job: name, address: new URL(url).host, labels };
          const engine = { ...target, job: 'rtpengine', path: '/metrics/rtpengine' };
          return name === 'media-relay' ? [target, engine] : [target];
        }),
        rules: Object.fromEntries(yamlFiles(alertFolder).map((file) => [basename(file), readFileSync(file, 'utf8')])),
        intervalSeconds: scrapeSeconds,
      }),
    );
    t.after(() => peer.stop());
    return new MonitoredStage(stage, peer);
  }
}
