// Where a Prometheus reads what runs here, as a file that its `file_sd_configs` looks at: ports are other ones at each start.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One group of Prometheus' file_sd. */
export interface ScrapeTarget {
  readonly targets: readonly [string];
  readonly labels: Readonly<Record<string, string>>;
}

/** @param addresses of a deployment: `signalling.management` and others */
export function scrapeTargets(addresses: Readonly<Record<string, string>>): ScrapeTarget[] {
  return Object.entries(addresses).flatMap(([name, url]) => {
    const [, service] = /^(.+)\.management$/.exec(name) ?? [];
    if (service === undefined) return [];
    const targets = [new URL(url).host] as const;
    const own = { targets, labels: { job: service } };
    // Of its rtpengine, which the relay passes on.
    const engine = { targets, labels: { job: 'rtpengine', __metrics_path__: '/metrics/rtpengine' } };
    return service === 'media-relay' ? [own, engine] : [own];
  });
}

/** Puts the file in its place as a whole, so that nobody reads half of it. */
export function writeScrapeTargets(file: string, addresses: Readonly<Record<string, string>>): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(scrapeTargets(addresses), null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
