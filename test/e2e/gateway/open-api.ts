// The API's document as the gateway serves it, and whether an answer is what it says: status, content type, every field.
import assert from 'node:assert/strict';
import { z } from 'zod';

const bodySchema = z.looseObject({ schema: z.record(z.string(), z.unknown()) });
const answerSchema = z.looseObject({ content: z.record(z.string(), bodySchema) });
const documentSchema = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ responses: z.record(z.string(), answerSchema) }))),
  components: z.looseObject({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

type Answer = z.output<typeof answerSchema>;

export class OpenApi {
  readonly #document: z.output<typeof documentSchema>;
  readonly #readers = new Map<object, z.ZodType>();

  private constructor(document: z.output<typeof documentSchema>) {
    this.#document = document;
  }

  /** @param url of the gateway */
  static async read(url: string): Promise<OpenApi> {
    const response = await fetch(`${url}/api/v1/openapi.json`, { signal: AbortSignal.timeout(10_000) });
    return new OpenApi(documentSchema.parse(await response.json()));
  }

  /** @throws AssertionError that says what of the answer the document does not know. @param path with its query */
  check(method: 'get' | 'post', path: string, { status, headers }: Response, text: string): void {
    const where = `${method} ${path}: ${status}`;
    const answer = this.#answer(method, path.split('?')[0] ?? '', status);
    assert.ok(answer, `${where} is not in the document`);
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    const body = answer.content[type];
    assert.ok(body, `${where}: the document knows no ${type}`);
    const { success, error } = this.#reader(body.schema).safeParse(JSON.parse(text));
    assert.ok(success, `${where} is not what the document says: ${error && z.prettifyError(error)}\n${text}`);
  }

  #answer(method: string, path: string, status: number): Answer | undefined {
    const { paths } = this.#document;
    const known = Object.keys(paths).find((one) => {
      const parts = [one, path].map((each) => each.split('/'));
      return (
        parts[0]?.length === parts[1]?.length &&
        parts[0]?.every((part, index) => part.startsWith('{') || part === parts[1]?.[index])
      );
    });
    const responses = paths[known ?? '']?.[method]?.responses;
    // `default` tells of problems: what went well must be there by its number.
    return responses?.[status] ?? (status >= 400 ? responses?.['default'] : undefined);
  }

  #reader(schema: Record<string, unknown>): z.ZodType {
    const known = this.#readers.get(schema);
    if (known !== undefined) return known;
    const { schemas } = this.#document.components;
    const name = String(schema['$ref'] ?? '').replace('#/components/schemas/', '');
    const reader = z.fromJSONSchema((name === '' ? schema : schemas[name]) as Parameters<typeof z.fromJSONSchema>[0]);
    this.#readers.set(schema, reader);
    return reader;
  }
}
