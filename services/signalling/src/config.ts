// What signalling reads of the environment and of sidestream.yaml, and nothing else does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CertificateFiles,
  ConfigError,
  type ConfigProblem,
  configWarnings,
  type HostPort,
  neighbourAddress,
  type OwnPod,
  parseHostPort,
  type RecorderPlace,
  readServiceConfig,
  recordersOf,
  Secret,
  type SidestreamConfig,
  type TenantConfig,
} from '@sidestream/service';
import { recorderProfiles, resolveRecorder } from '@sidestream/siprec';
import type { StaleRule } from './adapters/policy-feed.js';
import type { PolicySource } from './adapters/policy-file.js';
import type { RecordingTerms } from './domain/recording-terms.js';
import { readTrunkSecrets, type TrunkSecrets } from './trunk-secrets.js';

/** A tenant with its own recorders, or those of its region. */
export interface SignallingTenant extends Omit<TenantConfig, 'recorders'> {
  /** Their names, in order. */
  readonly recorders: string[];
  readonly recorderPlaces: readonly RecorderPlace[];
  readonly enabled: boolean;
}

export interface SignallingConfig
  extends Pick<SidestreamConfig, 'nats' | 'grpc' | 'trunks' | 'log' | 'management' | 'telemetry' | 'records'> {
  /** The edge is ours, and says nothing that the network has said in its name. */
  readonly ownEdge: boolean;
  readonly instance: string;
  /** Where it may say what its end costs; undefined: nowhere. */
  readonly pod: OwnPod | undefined;
  /** Where the edge takes drachtio's protocol. */
  readonly edge: HostPort;
  readonly edgeSecret: Secret;
  /** What an external edge shows over TLS, as it read it at its start; undefined: none, or nobody says. */
  readonly edgeCertificate: Pick<CertificateFiles, 'certFile' | 'keyFile'> | undefined;
  /** Where an external edge tells its own metrics; undefined: nowhere. */
  readonly edgeMetrics: string | undefined;
  readonly trunkSecrets: TrunkSecrets;
  readonly relayAddresses: readonly string[];
  /** Whose relays are taken first. */
  readonly region: string;
  readonly tenants: Readonly<Record<string, SignallingTenant>>;
  /** By tenant. */
  readonly recordingTerms: Readonly<Record<string, RecordingTerms>>;
  readonly emergencyNumbers: readonly string[];
  readonly warnings: readonly ConfigProblem[];
  readonly policyFiles: readonly PolicySource[];
  /** By tenant. */
  readonly providerPolicies: Readonly<Record<string, StaleRule>>;
  /** Where the last policies of providers are kept. */
  readonly policyDirectory: string;
  /** Where the relays known last are kept. */
  readonly relaysFile: string;
  /** Where the service Calls listens, and under which address others reach it. */
  readonly callsGrpc: { readonly listen: HostPort; readonly advertise: string | undefined };
  /** Where records are written to besides; undefined: nowhere. */
  readonly recordFiles: SidestreamConfig['signalling']['records'];
  readonly maxCalls: number;
  /** Of the event loop; above it new calls are refused. */
  readonly maxLagMs: number;
  readonly drainMs: number;
}

/**
 * drachtio-srf asks the environment at every header field of every message, and Node asks the system each time: a plain copy answers
 * at once.
 */
export function copyEnvironment(): void {
  process.env = { ...process.env };
}

/**
 * Reads SIDESTREAM_CONFIG, SIDESTREAM_INSTANCE, and over signalling.edge, edgeSecretFile and edgeMetrics of the file SIDESTREAM_EDGE
 * (tcp://host:port), SIDESTREAM_EDGE_SECRET_FILE and SIDESTREAM_EDGE_METRICS (host:port); for an external edge with TLS, whose certificate
 * is to be watched, SIDESTREAM_EDGE_CERT_FILE and SIDESTREAM_EDGE_KEY_FILE.
 *
 * @throws ConfigError with every problem found.
 */
export function readSignallingConfig(environment: NodeJS.ProcessEnv = process.env): SignallingConfig {
  const { path, config, instance, pod } = readServiceConfig(
    environment,
    'signalling',
    ({ signalling }) => signalling.id,
  );
  const { nats, grpc, relays, regions, tenants, trunks, signalling, mediaRelay, log, management, telemetry, records } =
    config;
  const problems: { path: string; message: string }[] = [];
  const edge = readEdge(environment['SIDESTREAM_EDGE'] ?? signalling.edge);
  if (edge === undefined) {
    problems.push({
      path: 'SIDESTREAM_EDGE',
      message: 'is not tcp://host:port of the edge (it is set when the edge is embedded)',
    });
  }
  const secret = readSecret(environment['SIDESTREAM_EDGE_SECRET_FILE'] ?? signalling.edgeSecretFile);
  if (secret === undefined) {
    const message = 'no secret: name a readable, non-empty file here or in SIDESTREAM_EDGE_SECRET_FILE';
    problems.push({ path: 'signalling.edgeSecretFile', message });
  }
  const { SIDESTREAM_EDGE_CERT_FILE: certFile, SIDESTREAM_EDGE_KEY_FILE: keyFile } = environment;
  const trunkSecrets = readTrunkSecrets(config, readSecret, problems);
  const withRecorders = Object.entries(tenants).map(([name, tenant]): [string, SignallingTenant] => {
    const recorderPlaces = recordersOf(tenant, regions);
    const recorders = recorderPlaces.map(({ recorder }) => recorder);
    problems.push(...unusable(name, tenant, recorders));
    return [name, { ...tenant, recorders, recorderPlaces, enabled: tenant.recording.enabled }];
  });
  if (edge === undefined || secret === undefined || problems.length > 0) throw new ConfigError(path, problems);
  return {
    instance,
    pod,
    log,
    management,
    telemetry,
    ownEdge: signalling.edge === 'embedded',
    records,
    recordFiles: signalling.records,
    nats,
    grpc,
    trunks,
    edge,
    edgeSecret: new Secret(secret),
    edgeCertificate: certFile && keyFile ? { certFile, keyFile } : undefined,
    edgeMetrics: neighbourAddress(environment, 'SIDESTREAM_EDGE_METRICS', signalling.edgeMetrics),
    trunkSecrets,
    relayAddresses: relays.map(({ address }) => address),
    region: mediaRelay.region,
    tenants: Object.fromEntries(withRecorders),
    recordingTerms: Object.fromEntries(
      Object.entries(tenants).map(
        ([
          name,
          {
            recording: { mode, start, parallel, requiredTimeoutMs, onLoss, recordPreference },
          },
        ]) => {
          const terms = { start, parallel, requiredTimeoutMs, onLoss };
          const honourPreferences = recordPreference === 'honour';
          return [name, { ...terms, required: mode === 'required', honourPreferences }];
        },
      ),
    ),
    emergencyNumbers: signalling.emergencyNumbers,
    warnings: configWarnings(config),
    policyFiles: Object.entries(tenants).flatMap(([tenant, { policy }]) =>
      policy.source === 'file' ? [{ tenant, file: policy.file }] : [],
    ),
    providerPolicies: Object.fromEntries(
      Object.entries(tenants).flatMap(([tenant, { policy }]) =>
        policy.source === 'provider' ? [[tenant, { rule: policy.stale, maxAgeMs: policy.maxAgeMs }]] : [],
      ),
    ),
    policyDirectory: join(signalling.stateDirectory, 'policies'),
    relaysFile: join(signalling.stateDirectory, 'relays.json'),
    callsGrpc: { listen: parseHostPort(signalling.grpcListen), advertise: signalling.grpcAdvertise },
    maxCalls: signalling.maxCalls,
    maxLagMs: signalling.maxLagMs,
    drainMs: signalling.drainSeconds * 1_000,
  };
}

/** Recorders that are neither a documented endpoint nor a usable URI. */
function unusable(name: string, { recording }: TenantConfig, recorders: readonly string[]) {
  return recorders.flatMap((recorder) => {
    try {
      resolveRecorder(recorder, recorderProfiles[recording.profile]);
      return [];
    } catch (error) {
      return [{ path: `tenants.${name}.recorders`, message: error instanceof Error ? error.message : String(error) }];
    }
  });
}

function readEdge(text: string): HostPort | undefined {
  if (!text.startsWith('tcp://')) return undefined;
  try {
    return parseHostPort(text.slice('tcp://'.length));
  } catch {
    return undefined;
  }
}

function readSecret(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
