// Where traces go. Without it nothing is traced, and tracing costs nothing.
import { z } from 'zod';
import { file } from './values.js';

export const telemetrySchema = z.strictObject({
  traces: z
    .strictObject({
      endpoint: z.url({ protocol: /^https?$/ }).describe('OTLP over HTTP: http://collector:4318/v1/traces'),
      sampleRatio: z
        .number()
        .min(0)
        .max(1)
        .default(0.1)
        .describe('of the calls, 0 to 1: a call is traced whole or not at all'),
      headersFile: file.optional().describe('header fields for the collector, a line each: `Authorization: Bearer …`'),
      caFile: file.optional().describe("the authority of the collector's certificate, instead of Node's"),
    })
    .optional(),
});

export type TracesConfig = NonNullable<z.output<typeof telemetrySchema>['traces']>;
