// The one schema of sidestream.yaml. Every service sees the same file and takes what is its own.
import { z } from 'zod';
import { gatewaySchema } from './gateway-schema.js';
import { recorderListSchema } from './recorder-list.js';
import { telemetrySchema } from './telemetry-schema.js';
import { trunkSchema } from './trunk-schema.js';
import { cidr, duration, file, hostPort, name } from './values.js';

const httpsUrl = z
  .string()
  .regex(/^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, 'must be https://host[:port][/path]')
  .transform((text) => text.replace(/\/+$/, ''));

/** What a control-plane service listens on: others find it by its lease. */
const controlServiceSchema = z
  .strictObject({
    id: name.optional(),
    listen: hostPort.default('127.0.0.1:0'),
    advertise: z.string().optional(),
  })
  .prefault({});

export const tlsFilesSchema = z
  .strictObject({ certFile: file, keyFile: file, caFile: file })
  .describe(
    'certificate, key and the authority that signs the others; {service} in a path is who reads it, cli of commands',
  );

const grpcTlsSchema = tlsFilesSchema
  .extend({
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe('the name that all certificates of services have, where their addresses are in none; else the address'),
    checkNames: z
      .boolean()
      .optional()
      .describe(
        'true: each certificate has a name of its own, <service>.<serverName> (cli.… of commands); who calls looks for it, and is let in by it: media-relay takes requests of signalling alone, others of gateway and cli',
      ),
  })
  .refine(({ checkNames, serverName }) => checkNames !== true || serverName !== undefined, {
    path: ['serverName'],
    message: 'is needed by checkNames',
  });

const filePolicySchema = z.strictObject({ source: z.literal('file'), file });

const providerPolicySchema = z
  .strictObject({
    source: z.literal('provider'),
    pollInterval: duration(1_000, 24 * 3_600_000).prefault('5m'),
    stale: z
      .enum(['keep', 'record-none', 'record-all'])
      .default('record-none')
      .describe('what decides once nobody has confirmed the policy for maxAge'),
    maxAge: duration(10_000, 365 * 24 * 3_600_000).prefault('24h'),
    identitiesFile: file.optional().describe('CSV or JSON: numbers and addresses of users, by object id or UPN'),
    identityErrors: z
      .enum(['skip', 'refuse'])
      .default('skip')
      .describe('a bad row is left out, or makes the whole file unusable'),
    defaultCountry: z
      .string()
      .regex(/^[A-Z]{2}$/, 'must be a country of ISO 3166, such as DE')
      .optional()
      .describe('whose national numbers are understood in users and identities'),
  })
  .refine(({ pollInterval, maxAge }) => maxAge >= 2 * pollInterval, {
    path: ['maxAge'],
    message: 'must be at least twice pollInterval: one failed request would make the policy stale',
  })
  .transform(({ pollInterval, maxAge, ...rest }) => ({ ...rest, pollIntervalMs: pollInterval, maxAgeMs: maxAge }));

/** How the tenant is known to Entra ID and to the provider API. */
const providerSchema = z
  .strictObject({
    entraTenantId: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/, 'must be the directory id or a domain of it')
      .refine((text) => !['common', 'organizations', 'consumers'].includes(text), 'must name one directory'),
    clientId: z.uuid(),
    clientSecretFile: file.optional(),
    clientCertificateFile: file.optional().describe('PEM; instead of a secret'),
    clientKeyFile: file.optional().describe('private key of clientCertificateFile, PEM'),
    authority: httpsUrl.default('https://login.microsoftonline.com'),
    resourceAppId: z.uuid().default('f448d7e5-e313-4f90-a3eb-5dbb3277e4b3'),
    apiBaseUrl: httpsUrl.default('https://api.media.recording.dynamics.com'),
    trustFile: file.optional().describe('authorities to trust besides the well-known ones'),
    register: z.boolean().default(true).describe('false: the tenant is registered by other means'),
    displayName: z.string().min(1).max(128).default('Sidestream'),
    hosting: z.enum(['cloud', 'on-premises']).default('cloud'),
    sourceIpNetwork: cidr.default('0.0.0.0').describe('public address from which we reach recorders'),
    certificateForm: z
      .enum(['dotnet', 'rfc4514', 'cn'])
      .default('dotnet')
      .describe('how the subject and issuer of the recording identity are written'),
    bodyTemplateFile: file.optional().describe('JSON object: keys that replace or extend those of the body'),
  })
  .refine(
    ({ clientSecretFile, clientCertificateFile, clientKeyFile }) =>
      (clientSecretFile !== undefined) !== (clientCertificateFile !== undefined) &&
      (clientCertificateFile === undefined) === (clientKeyFile === undefined),
    {
      path: ['clientSecretFile'],
      message: 'needs either clientSecretFile, or clientCertificateFile and clientKeyFile',
    },
  );

const tenantSchema = z.strictObject({
  organizationId: z.uuid().optional(),
  accountId: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters')
    .optional()
    .describe('goes out as X-AccountId; profile dynamics365 needs it'),
  region: name,
  recorders: recorderListSchema.optional(),
  recording: z.strictObject({
    mode: z
      .enum(['best-effort', 'required'])
      .default('best-effort')
      .describe('required: the caller is answered only once the call is recorded; it starts as ringing does'),
    start: z.enum(['answer', 'ringing']).default('answer').describe('ringing: no word is lost'),
    parallel: z
      .enum(['off', 'any', 'all'])
      .default('off')
      .describe('any, all: all recorders of the list at once; recorded when one is, or when each is'),
    requiredTimeoutMs: z
      .int()
      .min(100)
      .max(30_000)
      .default(4_000)
      .describe('how long an answered call waits for a required recording before it is ended'),
    onLoss: z.enum(['keep', 'end']).default('keep').describe('what becomes of a call whose required recording is lost'),
    profile: z.enum(['dynamics365', 'rfc7866']).default('dynamics365').describe('what the recorder wants to be told'),
    identity: z.strictObject({ certFile: file, keyFile: file }),
    trustFile: file.optional().describe('authorities to trust instead of the well-known ones'),
    domain: z.string().default('sidestream.invalid').describe('host part of the From that recorders see'),
    enabled: z.boolean().default(true).describe('false: no call of the tenant is recorded'),
    notice: z
      .enum(['none', 'awareness', 'contract'])
      .default('none')
      .describe(
        'how the parties learn that they are recorded: all have record-aware user agents, or know it by other means',
      ),
    recordPreference: z
      .enum(['ignore', 'honour'])
      .default('ignore')
      .describe(
        'whether a record-aware party may have its call not recorded, or paused (a=recordpref); never a required one',
      ),
    provisionalTimeoutMs: z.int().min(100).max(32_000).default(1_500),
    finalTimeoutMs: z.int().min(100).max(32_000).default(3_000),
    callIdOnReestablish: z
      .enum(['same', 'new'])
      .default('same')
      .describe('Call-ID after a recorder was lost: the one that the dialer widget was told, or a new one'),
  }),
  policy: z.discriminatedUnion('source', [filePolicySchema, providerPolicySchema]),
  provider: providerSchema.optional(),
});

const listen = z
  .string()
  .regex(/^(udp|tcp|tls):\S+:\d{1,5}$/, 'must be udp:host:port, tcp:host:port or tls:host:port')
  .refine((text) => hostPort.safeParse(text.replace(/^\w+:/, '')).success, 'has no valid host:port');

export const configSchema = z
  .strictObject({
    nats: z.strictObject({
      servers: z.array(z.string().regex(/^(nats|tls):\/\/\S+$/, 'must be nats://host:port or tls://host:port')).min(1),
      tls: tlsFilesSchema.optional(),
      credentialsFile: file.optional().describe('of the NATS user; {service} as in tls'),
      replicas: z.union([z.literal(1), z.literal(3), z.literal(5)]).default(1),
    }),
    grpc: z.strictObject({ tls: grpcTlsSchema.optional() }).default({}),
    relays: z.array(z.strictObject({ address: hostPort })).default([]),
    regions: z.record(name, z.strictObject({ recorders: recorderListSchema })),
    tenants: z.record(name, tenantSchema),
    trunks: z.record(name, trunkSchema),
    signalling: z.strictObject({
      id: name.optional(),
      edge: z
        .union([z.literal('embedded'), z.string().regex(/^tcp:\/\/\S+:\d+$/, "must be 'embedded' or tcp://host:port")])
        .default('embedded'),
      edgeSecretFile: file.optional(),
      edgeMetrics: hostPort
        .optional()
        .describe("an external edge's own Prometheus port: its metrics are passed on at /metrics/drachtio"),
      listen: z.array(listen).min(1).default(['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060']),
      advertise: z.string().optional(),
      grpcListen: hostPort.default('127.0.0.1:0').describe('where the service Calls listens'),
      grpcAdvertise: z.string().optional().describe('host or host:port under which others reach grpcListen'),
      tls: z.strictObject({ certFile: file, keyFile: file, trustFile: file.optional() }).optional(),
      maxCalls: z.int().min(1).max(100_000).default(2_000),
      maxLagMs: z
        .int()
        .min(20)
        .max(10_000)
        .default(200)
        .describe('new calls are refused while the event loop lags more than this, until it lags less than half of it'),
      sources: z
        .strictObject({
          messagesPerSecond: z.int().min(10).max(1_000_000).default(4_000),
          connectionsPerSecond: z.int().min(1).max(100_000).default(100),
          connections: z.int().min(1).max(4_000).default(512),
        })
        .prefault({})
        .describe(
          'what one address of a peer (an IPv6 /64) may bring; more is dropped, on connections it is waited for',
        ),
      stateDirectory: z
        .string()
        .min(1)
        .default('state')
        .describe(
          'where the last policies and relays are kept for a start without NATS, relative to the configuration file',
        ),
      emergencyNumbers: z
        .array(z.string().regex(/^\+?\d{2,15}$/, 'must be digits, as they are dialled'))
        .default(['112', '911'])
        .describe('calls to these are put through whatever the limits and `destinations` say, recorded or not'),
      records: z
        .strictObject({
          directory: file,
          maxFiles: z.int().min(1).max(1_000).default(10),
          maxBytes: z
            .int()
            .min(1024)
            .max(1024 ** 3)
            .default(64 * 1024 ** 2)
            .describe('of one file'),
        })
        .optional()
        .describe('records of ended calls as JSON lines in rotating files, beside NATS'),
      drainSeconds: z.int().min(0).max(86_400).default(5),
    }),
    mediaRelay: z.strictObject({
      id: name.optional(),
      region: name.default('local'),
      rtpengine: z.strictObject({
        ng: hostPort,
        http: hostPort
          .optional()
          .describe("rtpengine's --listen-http: its metrics are passed on at /metrics/rtpengine"),
      }),
      listen: hostPort.default('127.0.0.1:0'),
      advertise: z.string().optional(),
      maxSessions: z.int().min(1).max(100_000).default(2_000),
      mediaTimeout: duration(0, 86_400_000)
        .prefault('60s')
        .describe('after which a call ends in which neither party is heard, unless it is held; 0s: never'),
      forks: z
        .strictObject({
          lookEvery: duration(1_000, 60_000).prefault('2s'),
          // Not a multiple of the looks, so that one which is a little early does not wait for another; two looks find nothing, one never does.
          stalledAfter: duration(2_000, 600_000)
            .prefault('3s')
            .describe('a party sends, and nothing of it leaves; one and a half lookEvery at least'),
          // RFC 3550 §6.3.5: who is not heard for five report intervals of 5 s is not there.
          recorderSilentAfter: z
            .union([z.literal('off').transform(() => undefined), duration(15_000, 3_600_000)])
            .prefault('25s')
            .describe('no more RTCP of a recorder that used to send it'),
        })
        .prefault({}),
    }),
    policySync: controlServiceSchema,
    registration: controlServiceSchema,
    records: z
      .strictObject({
        maxAge: duration(60_000, 3_650 * 24 * 3_600_000).prefault('30d'),
        maxBytes: z
          .int()
          .min(1024 * 1024)
          .default(4 * 1024 ** 3),
      })
      .prefault({})
      .transform(({ maxAge, maxBytes }) => ({ maxAgeMs: maxAge, maxBytes }))
      .describe('how long, and how many bytes of, records of ended calls are kept in NATS; the oldest go first'),
    gateway: gatewaySchema.optional(),
    log: z
      .strictObject({
        level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
        parties: z
          .enum(['hashed', 'shown'])
          .default('hashed')
          .describe('how calling and called parties stand in log lines of calls; shown: with their numbers'),
      })
      .prefault({}),
    management: z
      .strictObject({
        listen: hostPort.default('127.0.0.1:0'),
        allow: z
          .array(cidr)
          .optional()
          .describe('who may connect: addresses and networks, beside this machine itself; absent: anybody'),
      })
      .prefault({}),
    telemetry: telemetrySchema.prefault({}),
  })
  .describe('sidestream.yaml');

/** A whole deployment, defaults applied. File names are absolute after readConfig. */
export type SidestreamConfig = z.output<typeof configSchema>;
export type ProviderConfig = z.output<typeof providerSchema>;
export type ControlServiceConfig = z.output<typeof controlServiceSchema>;
export type TenantConfig = SidestreamConfig['tenants'][string];
export type TlsFiles = z.output<typeof tlsFilesSchema>;
export type GrpcTls = z.output<typeof grpcTlsSchema>;
export type GatewaySection = z.output<typeof gatewaySchema>;
