// What keeps a trunk from having too many calls, too long ones, or ones to where nobody should call.
import { z } from 'zod';
import { duration } from './values.js';

/** What a trunk may take, calls that come from it and calls that go to it together. */
export const limitsSchema = z
  .strictObject({
    calls: z.int().min(1).max(100_000).optional().describe('calls at a time'),
    callsPerSecond: z.number().min(0.01).max(10_000).optional(),
    maxDuration: duration(1_000, 7 * 24 * 3_600_000)
      .optional()
      .describe('an answered call is ended after so long'),
  })
  .transform(({ maxDuration, ...rest }) => ({ ...rest, maxDurationMs: maxDuration }));

const e164Prefixes = z
  .array(
    z
      .string('must be in quotes: YAML takes +49 for a number')
      .regex(/^\+[1-9]\d{0,14}$/, 'must be + and the first digits of E.164 numbers'),
  )
  .default([]);

/** Which numbers may be called from the trunk, and through it. */
export const destinationsSchema = z
  .strictObject({ allow: e164Prefixes, deny: e164Prefixes })
  .refine(({ allow, deny }) => !allow.some((prefix) => deny.includes(prefix)), {
    path: ['deny'],
    message: 'has a prefix that `allow` has too: which of them counts?',
  })
  .describe('the longest prefix of the called number counts; without one it is allowed unless `allow` has others');

export type TrunkLimitsConfig = z.output<typeof limitsSchema>;
export type DestinationsConfig = z.output<typeof destinationsSchema>;
