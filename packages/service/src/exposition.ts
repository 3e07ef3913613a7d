// A registry as text, in the format that the scraper asks for: Prometheus' own, or OpenMetrics, which has exemplars.
import { openMetricsContentType, type Registry } from 'prom-client';

export interface Exposed {
  readonly type: string;
  readonly text: string;
}

export class Exposition {
  readonly #registry: Registry;
  #last: Promise<unknown> = Promise.resolve();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** @param accept the request's Accept header; one scrape at a time, as each puts the registry into its format */
  read(accept = ''): Promise<Exposed> {
    const scrape = this.#last.then(() => (wantsOpenMetrics(accept) ? this.#openMetrics() : this.#plain()));
    this.#last = scrape.catch(() => undefined);
    return scrape;
  }

  async #plain(): Promise<Exposed> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  async #openMetrics(): Promise<Exposed> {
    // The type of a registry is bound to one format, its behaviour is not.
    const registry: Pick<Registry, 'metrics' | 'getMetricsAsArray'> & { setContentType(type: string): void } =
      this.#registry;
    const usual = this.#registry.contentType;
    // prom-client takes `_total` from the counters' names and does not give it back, so that plain text would lose it.
    const names = registry.getMetricsAsArray().map((metric) => [metric, metric.name] as const);
    registry.setContentType(openMetricsContentType);
    try {
      return { type: openMetricsContentType, text: await registry.metrics() };
    } finally {
      registry.setContentType(usual);
      for (const [metric, name] of names) metric.name = name;
    }
  }
}

/** Whether OpenMetrics 1.0.0 is accepted, and plain text not wanted more (RFC 9110 §12.5.1). */
export function wantsOpenMetrics(accept: string): boolean {
  let [open, plain] = [0, 0];
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    const parameter = (name: string) => parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const weight = Number(parameter('q') ?? '1') || 0;
    if (type === 'text/plain') plain = Math.max(plain, weight);
    if (type === 'application/openmetrics-text' && (parameter('version') ?? '1.0.0') === '1.0.0')
      open = Math.max(open, weight);
  }
  return open > 0 && open >= plain;
}

/** What there is to measure, also where it has no series yet. */
export function describeMetrics(registry: Registry): MetricDescription[] {
  return registry.getMetricsAsArray().map((metric) => {
    const labels = 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
    return { name: metric.name, type: String(metric.type), labels, help: metric.help };
  });
}

export interface MetricDescription {
  readonly name: string;
  /** counter, gauge, histogram or summary. */
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}
