// The OpenAPI document of the API, made of its table of routes.
import { z } from 'zod';
import type { ApiRoute } from './api-routes.js';

export const apiBase = '/api/v1';

const problemSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
  },
};

const problem = {
  description: 'what is wrong (RFC 9457)',
  headers: { 'Retry-After': { description: 'with 429 and 503, in seconds', schema: { type: 'integer' } } },
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** What is answered outside the table of routes. */
const others = {
  [`${apiBase}/openapi.json`]: {
    get: {
      summary: 'this document; for everybody',
      security: [],
      responses: { 200: answered('an OpenAPI 3.1 document', 'application/json', { type: 'object' }) },
    },
  },
  [`${apiBase}/events`]: {
    get: {
      summary:
        "what changes: events named as in the event stream, and call.lost; their data is {callId, time}, with a tenant's own calls alone",
      responses: {
        200: answered('server-sent events, until the token ends', 'text/event-stream', { type: 'string' }),
        default: problem,
      },
    },
  },
};

/** @returns an OpenAPI 3.1 document */
export function openApiDocument(routes: readonly ApiRoute[]): object {
  const paths: Record<string, Record<string, object>> = { ...others };
  for (const route of routes) {
    const path = `${apiBase}${route.path}`;
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sidestream', version: '1', description: "Operators' view of a tenant's calls." },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Problem: problemSchema },
    },
  };
}

function operation({ path, summary, query = {}, body, answer }: ApiRoute): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(query).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  }));
  return {
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body && {
      requestBody: { content: { 'application/json': { schema: z.toJSONSchema(body, { io: 'input' }) } } },
    }),
    responses: {
      200: answered(summary, 'application/json', z.toJSONSchema(answer)),
      default: problem,
    },
  };
}

function answered(description: string, type: string, schema: object): object {
  return { description, content: { [type]: { schema } } };
}
