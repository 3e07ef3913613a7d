/** Debian's Prometheus on loopback, which scrapes what the caller names and evaluates the caller's rules. */
import type { Peer, PeerResult } from './peer.js';
import { freeTcpPort } from './ports.js';
import { resolvePeer } from './resolve.js';

const HOST = '127.0.0.1';

/** What is scraped. */
export interface ScrapeTarget {
  readonly job: string;
  /** `host:port`. */
  readonly address: string;
  /** Default: /metrics. */
  readonly path?: string;
  /** Added to every series, as service discovery would. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PrometheusOptions {
  readonly targets: readonly ScrapeTarget[];
  /** Texts of rules files, by a name that ends in `.yaml`. */
  readonly rules: Readonly<Record<string, string>>;
  /** Between scrapes, and between evaluations of the rules. */
  readonly intervalSeconds: number;
  readonly startTimeoutMs?: number;
}

/** A Prometheus and its HTTP address. */
export interface PrometheusPeer extends Peer<'prometheus'> {
  /** `http://host:port`. */
  readonly url: string;
}

/** JSON is YAML. */
function configuration({ targets, rules, intervalSeconds }: PrometheusOptions): string {
  const every = `${intervalSeconds}s`;
  return JSON.stringify({
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: Object.keys(rules),
    scrape_configs: [...new Set(targets.map(({ job, path }) => `${job} ${path ?? '/metrics'}`))].map((name) => {
      const [job = '', metricsPath] = name.split(' ');
      const ours = targets.filter((target) => target.job === job && (target.path ?? '/metrics') === metricsPath);
      return {
        job_name: job,
        metrics_path: metricsPath,
        honor_labels: true,
        static_configs: ours.map(({ address, labels }) => ({ targets: [address], labels: labels ?? {} })),
      };
    }),
  });
}

/** Starts Prometheus; there is none in the environment, as what it scrapes is the test's. A job has one path. */
export async function startPrometheus(
  options: PrometheusOptions = { targets: [], rules: {}, intervalSeconds: 60 },
): Promise<PeerResult<PrometheusPeer>> {
  return await resolvePeer({
    kind: 'prometheus',
    startTimeoutMs: options.startTimeoutMs,
    fixedPorts: false,
    environment: undefined,
    recipe: async () => {
      const address = `${HOST}:${await freeTcpPort(HOST)}`;
      return {
        name: 'prometheus',
        command: 'prometheus',
        image: 'docker.io/prom/prometheus:v2.42.0',
        files: { 'prometheus.json': configuration(options), ...options.rules },
        args: (directory) => [
          `--config.file=${directory}/prometheus.json`,
          `--storage.tsdb.path=${directory}/data`,
          `--web.listen-address=${address}`,
          '--enable-feature=exemplar-storage',
          '--log.level=warn',
        ],
        probe: async (signal) => {
          const { status } = await fetch(`http://${address}/-/ready`, { signal });
          if (status !== 200) throw new Error(`/-/ready: ${status}`);
          return { url: `http://${address}` };
        },
      };
    },
  });
}
