// The section `gateway`: the web face. Without it there is none.
import { z } from 'zod';
import { cidr, duration, file, hostPort, name } from './values.js';

const origin = z.string().regex(/^https?:\/\/[^\s/?#@]+$/, 'must be an origin: https://host[:port]');

const webUrl = z.string().regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, 'must be https://host[:port][/path]');

const issuerSchema = z
  .strictObject({
    tenant: name.describe('whose sellers and operators its users are'),
    issuer: webUrl.describe('the `iss` of its tokens, byte for byte'),
    audience: z.string().min(1).max(256),
    jwksUri: webUrl.optional().describe('where its keys are; without it discovery tells'),
    trustFile: file
      .optional()
      .describe('authorities to trust besides the well-known ones when its keys are fetched; read anew each time'),
    sellerClaim: z.string().min(1).max(64).default('oid').describe("claim that holds the seller's id in the policy"),
    operatorRole: z
      .string()
      .min(1)
      .max(128)
      .default('Sidestream.Operator')
      .describe('role of those who may use the API'),
  })
  .describe('who signs the tokens of a tenant’s users');

/** A dialer that comes back is sent all that it has missed in one turn; of names as long as people's, an event is about 350 bytes. */
const bytesPerEvent = 512;
/** As many as dialer-client remembers to have raised: of more it would raise some twice. */
const mostEventsPerSeller = 200;

const limitsSchema = z
  .strictObject({
    connections: z.int().min(1).max(100_000).default(10_000).describe('dialers and live pages at once'),
    connectionsPerUser: z.int().min(1).max(1_000).default(10),
    connectionsPerSecond: z.int().min(1).max(10_000).default(50).describe('that one address (an IPv6 /64) may open'),
    requestsPerSecond: z.int().min(1).max(10_000).default(20).describe('of one user to the API'),
    requestsPerSecondOfAddress: z
      .int()
      .min(1)
      .max(100_000)
      .default(200)
      .describe('to the API from one address (an IPv6 /64), counted before it is known who asks'),
    framesPerMinute: z.int().min(1).max(10_000).default(30).describe('that a dialer may send'),
    behindBytes: z.int().min(16_384).max(16_777_216).default(262_144).describe('that wait for a slow client at most'),
    eventsPerSeller: z
      .int()
      .min(1)
      .max(mostEventsPerSeller)
      .default(mostEventsPerSeller)
      .describe('that a dialer which comes back can be told of'),
    history: duration(60_000, 7 * 86_400_000)
      .prefault('4h')
      .describe('how far back events are read at a start'),
    recordingStarts: duration(1_000, 600_000)
      .prefault('20s')
      .describe('after the answer; a dialer is told then that the call is not recorded'),
  })
  .refine(({ behindBytes, eventsPerSeller }) => behindBytes >= eventsPerSeller * bytesPerEvent, {
    path: ['behindBytes'],
    message: `must be ${bytesPerEvent} for each of eventsPerSeller at least, or who comes back is sent away as too slow`,
  })
  .prefault({});

export const gatewaySchema = z.strictObject({
  id: name.optional(),
  listen: hostPort.default('127.0.0.1:0'),
  publicUrl: webUrl.optional().describe('under which browsers reach it'),
  tls: z.strictObject({ certFile: file, keyFile: file }).optional(),
  issuers: z.array(issuerSchema).min(1),
  origins: z.array(origin).default([]).describe('of pages that may use it, besides its own'),
  trustedProxies: z
    .array(cidr)
    .max(100)
    .default([])
    .describe('addresses or networks whose X-Forwarded-For says from where a client comes'),
  limits: limitsSchema,
  drainSeconds: z
    .int()
    .min(0)
    .max(15)
    .default(0)
    .describe('how long it serves on after SIGTERM, not ready, until load balancers have noticed'),
  console: z
    .strictObject({
      authority: webUrl,
      clientId: z.string().min(1).max(256),
      scope: z.string().min(1).max(1_024).default('openid profile'),
    })
    .optional()
    .describe('how the operations console signs its users in'),
});
