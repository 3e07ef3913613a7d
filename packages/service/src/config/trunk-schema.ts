// `trunks:` of sidestream.yaml: the SIP peers, who they are, what their numbers mean and where their calls go.
import { z } from 'zod';
import { destinationsSchema, limitsSchema } from './trunk-guards.js';
import { passHeader } from './trunk-headers.js';
import { codecsSchema, srtpSchema } from './trunk-media.js';
import { numbersSchema } from './trunk-numbers.js';
import { routeSchema } from './trunk-routes.js';
import { failoverSchema, keepaliveSchema, targetsSchema } from './trunk-targets.js';
import { cidr, duration, name } from './values.js';

/** What a trunk may take, calls that come from it and calls that go to it together. */
const limitsSchema = z
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
const destinationsSchema = z
  .strictObject({ allow: e164Prefixes, deny: e164Prefixes })
  .refine(({ allow, deny }) => !allow.some((prefix) => deny.includes(prefix)), {
    path: ['deny'],
    message: 'has a prefix that `allow` has too: which of them counts?',
  })
  .describe('the longest prefix of the called number counts; without one it is allowed unless `allow` has others');

export const trunkSchema = z
  .strictObject({
    tenant: name,
    side: z.enum(['customer', 'seller']),
    transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
    peers: z.array(cidr).default([]),
    targets: targetsSchema,
    routes: z.array(routeSchema).min(1).max(1_000),
    numbers: numbersSchema,
    trusted: z
      .boolean()
      .default(true)
      .describe('false: what it asserts of callers is not believed, and what callers want kept is not told to it'),
    passHeaders: z
      .array(passHeader)
      .max(32)
      .default(['Identity'])
      .describe('header fields of a caller’s INVITE that pass to it as they are'),
    codecs: codecsSchema,
    srtp: srtpSchema,
    keepalive: keepaliveSchema,
    failover: failoverSchema.describe('of calls to this trunk'),
    limits: limitsSchema.optional(),
    destinations: destinationsSchema.optional(),
  })
  .refine((trunk) => trunk.peers.length + trunk.targets.length > 0, {
    path: ['peers'],
    message: 'a trunk needs peers (who may call in) or targets (where calls go)',
  });

export type TrunkConfig = z.output<typeof trunkSchema>;
export type TrunkLimitsConfig = z.output<typeof limitsSchema>;
export type DestinationsConfig = z.output<typeof destinationsSchema>;
