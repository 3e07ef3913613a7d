// What the tests ask a Prometheus, by its HTTP API.
import { z } from 'zod';

const labels = z.record(z.string(), z.string());
const vector = z.object({
  resultType: z.literal('vector'),
  result: z.array(z.object({ metric: labels, value: z.tuple([z.number(), z.string()]) })),
});
const matrix = z.object({
  resultType: z.literal('matrix'),
  result: z.array(z.object({ metric: labels, values: z.array(z.tuple([z.number(), z.string()])) })),
});
const exemplars = z.array(z.object({ exemplars: z.array(z.object({ labels, value: z.string() })) }));
const alert = z.object({ labels, annotations: labels, state: z.enum(['pending', 'firing']) });
const group = z.object({
  rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().default('') })),
});

export type Sample = z.infer<typeof vector>['result'][number];
export type Series = z.infer<typeof matrix>['result'][number];
export type Alert = z.infer<typeof alert>;

export class PrometheusClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** An instant query. @throws Error with Prometheus' own words */
  async query(promql: string): Promise<Sample[]> {
    const data = await this.#get('query', { query: promql });
    // A query such as `vector(0)` is a vector, `1 + 1` and texts are not used here.
    return vector.parse(data).result;
  }

  /** The value of a query with one sample; undefined without any. */
  async value(promql: string): Promise<number | undefined> {
    const [sample] = await this.query(promql);
    return sample === undefined ? undefined : Number(sample.value[1]);
  }

  /** The samples as they were scraped, of the last so many seconds. */
  async samples(selector: string, seconds: number): Promise<Series[]> {
    return matrix.parse(await this.#get('query', { query: `${selector}[${seconds}s]` })).result;
  }

  async labelValues(label: string, selector?: string): Promise<string[]> {
    const parameters = selector === undefined ? {} : { 'match[]': selector };
    return z.array(z.string()).parse(await this.#get(`label/${label}/values`, parameters));
  }

  /** Every name that has a series, and every name of which a target has said what it is. */
  async metricNames(): Promise<Set<string>> {
    const told = z.record(z.string(), z.unknown()).parse(await this.#get('metadata', {}));
    const families = Object.keys(told).flatMap((name) => [
      name,
      `${name}_total`,
      `${name}_bucket`,
      `${name}_count`,
      `${name}_sum`,
    ]);
    return new Set([...families, ...(await this.labelValues('__name__'))]);
  }

  /** The exemplars that it keeps of some series. */
  async exemplars(selector: string): Promise<z.infer<typeof exemplars>[number]['exemplars']> {
    const end = Date.now() / 1_000;
    const range = { start: String(end - 300), end: String(end + 1) };
    return exemplars
      .parse(await this.#get('query_exemplars', { query: selector, ...range }))
      .flatMap((one) => one.exemplars);
  }

  async alerts(): Promise<Alert[]> {
    return z.object({ alerts: z.array(alert) }).parse(await this.#get('alerts', {})).alerts;
  }

  /** Rules that could not be evaluated, with why; and how many there are. */
  async rules(): Promise<{ count: number; faults: string[] }> {
    const { groups } = z.object({ groups: z.array(group) }).parse(await this.#get('rules', {}));
    const all = groups.flatMap((one) => one.rules);
    const faulty = all.filter(({ health }) => health !== 'ok');
    return {
      count: all.length,
      faults: faulty.map(({ name, health, lastError }) => `${name}: ${health} ${lastError}`),
    };
  }

  async #get(path: string, parameters: Record<string, string>): Promise<unknown> {
    const answer = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(parameters)}`, {
      signal: AbortSignal.timeout(20_000),
    });
    const body = z
      .object({ status: z.string(), data: z.unknown(), error: z.string().optional() })
      .parse(await answer.json());
    if (body.status !== 'success') throw new Error(`${path} ${JSON.stringify(parameters)}: ${body.error}`);
    return body.data;
  }
}
