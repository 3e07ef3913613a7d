// A collector of traces: takes OTLP over HTTP with JSON, and keeps what came.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { z } from 'zod';

const attribute = z.object({
  key: z.string(),
  value: z.object({ stringValue: z.string().optional(), intValue: z.union([z.string(), z.number()]).optional() }),
});

const span = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: z.array(attribute).default([]),
});

const request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attribute) }),
      scopeSpans: z.array(z.object({ spans: z.array(span) })),
    }),
  ),
});

/** A span, and the service that it is of. */
export interface CollectedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
}

export class TraceCollector {
  readonly spans: CollectedSpan[] = [];
  /** What came, as it came. */
  readonly bodies: string[] = [];
  readonly endpoint: string;

  private constructor(port: number) {
    this.endpoint = `http://127.0.0.1:${port}/v1/traces`;
  }

  static async start(t: TestContext): Promise<TraceCollector> {
    let collector: TraceCollector | undefined;
    const server = createServer((incoming, answer) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        collector?.take(Buffer.concat(chunks).toString('utf8'));
        answer.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    collector = new TraceCollector((server.address() as AddressInfo).port);
    return collector;
  }

  take(body: string): void {
    this.bodies.push(body);
    for (const { resource, scopeSpans } of request.parse(JSON.parse(body)).resourceSpans) {
      const { 'service.name': service = '' } = valuesOf(resource.attributes);
      for (const { attributes, parentSpanId, ...rest } of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({
          ...rest,
          service: String(service),
          parentSpanId: parentSpanId || undefined,
          attributes: valuesOf(attributes),
        });
    }
  }

  named(name: string): CollectedSpan[] {
    return this.spans.filter((one) => one.name === name);
  }
}

function valuesOf(attributes: readonly z.output<typeof attribute>[]): Record<string, string | number | undefined> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));
}
