// `trunks:` of sidestream.yaml: the SIP peers, who they are, what their numbers mean and where their calls go.
import { z } from 'zod';
import { certificateNamesSchema, credentialsSchema, digestSchema, registerSchema } from './trunk-access.js';
import { destinationsSchema, limitsSchema } from './trunk-guards.js';
import { passHeader } from './trunk-headers.js';
import { codecsSchema, srtpSchema } from './trunk-media.js';
import { numbersSchema } from './trunk-numbers.js';
import { routeSchema } from './trunk-routes.js';
import { failoverSchema, keepaliveSchema, targetsSchema } from './trunk-targets.js';
import { cidr, name } from './values.js';

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
    refer: z
      .enum(['handle', 'pass', 'refuse'])
      .default('handle')
      .describe('its transfers (REFER): we call the number along its routes, pass them to the other party, or refuse'),
    keepalive: keepaliveSchema,
    failover: failoverSchema.describe('of calls to this trunk'),
    limits: limitsSchema.optional(),
    destinations: destinationsSchema.optional(),
    digest: digestSchema.optional(),
    credentials: credentialsSchema.optional(),
    register: registerSchema.optional(),
    certificateNames: certificateNamesSchema,
  })
  .refine(
    (trunk) =>
      trunk.peers.length + trunk.targets.length > 0 ||
      (trunk.digest ?? trunk.register ?? trunk.certificateNames[0]) !== undefined,
    {
      path: ['peers'],
      message:
        'a trunk needs peers, digest, register or certificateNames (who may call in), or targets (where calls go)',
    },
  );

export type TrunkConfig = z.output<typeof trunkSchema>;
