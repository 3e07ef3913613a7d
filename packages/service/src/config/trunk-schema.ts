// `trunks:` of sidestream.yaml: the SIP peers, who they are, what their numbers mean and where their calls go.
import { isSupportedCountry } from 'libphonenumber-js/min';
import { RE2JS } from 're2js';
import { z } from 'zod';
import { cidr, duration, name } from './values.js';

const sipTarget = z
  .string()
  .regex(/^sips?:[^\s;?<>@]+(;transport=(udp|tcp|tls))?$/, 'must be sip:host[:port][;transport=udp|tcp|tls]');

const share = z.int().min(0).max(65_535);
const targetSchema = z.union(
  [
    sipTarget,
    z.strictObject({
      uri: sipTarget,
      priority: share.optional().describe('lower ones are tried first; its place in the list, from 0, unless told'),
      weight: share.default(1).describe('share of the calls among those of the same priority'),
    }),
  ],
  { error: 'must be sip:host[:port][;transport=udp|tcp|tls] or {uri, priority, weight}' },
);

const targetsSchema = z
  .array(targetSchema)
  .max(64)
  .default([])
  .transform((list) =>
    list.map((item, place) => {
      const { uri, priority = place, weight } = typeof item === 'string' ? { uri: item, weight: 1 } : item;
      return { uri, priority, weight };
    }),
  );

/** A pattern of RE2: no look-around, no back-references, and so no number or header that it takes long to match. */
const pattern = z
  .string()
  .min(1)
  .max(256)
  .superRefine((text, context) => {
    try {
      RE2JS.compile(text);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      context.addIssue({ code: 'custom', message: `must be a regular expression of RE2: ${why}` });
    }
  });

const someDigits = z.string().regex(/^(\+|\+?[\d*#]{1,32})$/, 'must be digits, with * and #, a + before');

const numberMatchSchema = z
  .strictObject({
    prefix: someDigits.optional(),
    exact: someDigits.optional(),
    regex: pattern.optional().describe('matches the whole number'),
  })
  .refine((match) => Object.values(match).filter((value) => value !== undefined).length === 1, {
    message: 'needs one of prefix, exact and regex',
  })
  .describe('the number as it is dialled, or in E.164 with its +: either may match');

const headerName = z.string().regex(/^[A-Za-z0-9.!%*_+`'~-]{1,64}$/, 'must be the name of a header field');

const routeSchema = z.strictObject({
  called: numberMatchSchema.optional(),
  calling: numberMatchSchema.optional(),
  header: z
    .strictObject({
      name: headerName,
      matches: pattern.describe('found anywhere in the value'),
    })
    .optional(),
  to: z
    .union([name, z.array(name).min(1).max(16)], { error: 'must be the name of a trunk, or a list of names' })
    .transform((to) => [to].flat())
    .describe('trunks, in the order in which they are tried'),
});

const digits = z.string().regex(/^\+?[\d*#]{0,20}$/, 'must be up to 20 digits, with * and #, a + before');

const numbersSchema = z
  .strictObject({
    defaultCountry: z
      .string()
      .refine(isSupportedCountry, 'must be a country of ISO 3166 whose numbers are known, such as DE')
      .optional()
      .describe('whose national numbers come from this trunk, and go to it with format national'),
    incoming: z
      .strictObject({
        strip: digits.default('').describe('taken off the front of called numbers that come from it'),
        prefix: digits.default('').describe('then put before those that do not begin with +'),
      })
      .prefault({}),
    outgoing: z
      .strictObject({
        format: z
          .enum(['as-is', 'e164', 'digits', 'national'])
          .default('as-is')
          .describe('how numbers are written for it; digits: E.164 without the +'),
        prefix: digits.default('').describe('then put before called numbers'),
      })
      .prefault({}),
  })
  .refine(({ defaultCountry, outgoing }) => outgoing.format !== 'national' || defaultCountry !== undefined, {
    path: ['defaultCountry'],
    message: 'is needed by outgoing.format national',
  })
  .prefault({});

/** Answers that are the called party's, or for us alone: another target would not change them. */
const neverAgain = [401, 407, 486, 487, 491];

const failoverSchema = z
  .strictObject({
    statuses: z
      .array(
        z
          .int()
          .min(400)
          .max(599)
          .refine((status) => !neverAgain.includes(status), `must not be one of ${neverAgain.join(', ')}`),
      )
      .default([408, 500, 502, 503, 504])
      .describe('refusals after which the next target is tried, as long as nothing has rung'),
    timeout: duration(500, 180_000)
      .prefault('10s')
      .describe('how long a target may say nothing before the next one is tried; 100 Trying does not count'),
  })
  .transform(({ statuses, timeout }) => ({ statuses, timeoutMs: timeout }))
  .prefault({});

const keepaliveSchema = z
  .union(
    [
      z.literal('off'),
      z.strictObject({
        interval: duration(1_000, 3_600_000).prefault('30s'),
        failures: z.int().min(1).max(10).default(2),
      }),
    ],
    { error: "must be 'off' or {interval, failures}: an interval from 1s to 1h, 1 to 10 failures" },
  )
  .default('off')
  .transform((value) => (value === 'off' ? undefined : { intervalMs: value.interval, failures: value.failures }))
  .describe('OPTIONS to each target; one that fails to answer so many in a row is tried last');

/** What belongs to one hop or one dialog, what we write ourselves, and what is only for the inside. In lower case. */
const ownHeaders = new Set(
  `accept accept-encoding allow allow-events authentication-info authorization call-id contact content-disposition
    content-encoding content-language content-length content-type cseq diversion error-info event expires flow-timer from
    history-info identity-info join max-breadth max-forwards mime-version min-expires min-se p-access-network-info
    p-asserted-identity p-charging-function-addresses p-charging-vector p-preferred-identity path privacy proxy-authenticate
    proxy-authorization proxy-require rack record-route refer-sub refer-to referred-by remote-party-id replaces require
    retry-after route rseq security-client security-server security-verify server service-route session-expires sip-etag
    sip-if-match subscription-state supported target-dialog timestamp to traceparent tracestate unsupported user-agent via
    warning www-authenticate x-accountid`.split(/\s+/),
);

const passHeader = headerName
  .refine((text) => text.length > 1, 'must be the long name of a header field')
  .refine((text) => !ownHeaders.has(text.toLowerCase()) && !/^x-sidestream-/i.test(text), {
    message: 'never passes: it belongs to one hop or dialog, to the inside, or Sidestream writes it itself',
  });

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
