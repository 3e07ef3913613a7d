// What the edge reads of the environment and of sidestream.yaml.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { ConfigError, parseHostPort, readServiceConfig, Secret, type SidestreamConfig } from '@sidestream/service';
import { parseUri, type TransportProtocol } from '@sidestream/sip';
import type { PeerDomain } from './adapters/known-peers.js';

export interface SipEdgeConfig {
  readonly instance: string;
  readonly log: { readonly level: string };
  readonly management: SidestreamConfig['management'];
  readonly telemetry: SidestreamConfig['telemetry'];
  readonly listen: readonly { protocol: TransportProtocol; host: string; port: number }[];
  readonly advertise?: string | undefined;
  /** Addresses, networks and host names. */
  readonly peers: readonly string[];
  /** Names of targets without a port: their SRV records say where calls go. */
  readonly domains: readonly PeerDomain[];
  /** A trunk proves itself by digest alone, so that its address is anybody's. */
  readonly callsFromStrangers: boolean;
  /** Names in certificates that prove a trunk. */
  readonly certificateNames: readonly string[];
  readonly secret: Secret;
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly trustFile?: string | undefined };
  readonly maxCalls: number;
  readonly sources: SidestreamConfig['signalling']['sources'];
}

/**
 * Reads SIDESTREAM_CONFIG, SIDESTREAM_INSTANCE and SIDESTREAM_EDGE_SECRET_FILE.
 *
 * @throws ConfigError with every problem found.
 */
export function readEdgeConfig(environment: NodeJS.ProcessEnv = process.env): SipEdgeConfig {
  const { path, config, instance } = readServiceConfig(environment, 'sip-edge', ({ signalling }) => signalling.id);
  const { signalling, trunks, log, management, telemetry } = config;
  const listen = signalling.listen.map(parseListen);
  const problems = [];
  const peers = Object.values(trunks).flatMap((trunk) => [...trunk.peers]);
  const domains: PeerDomain[] = [];
  for (const [name, { targets, register, transport }] of Object.entries(trunks)) {
    const places = [
      ...targets.map(({ uri }, index) => ({ uri, path: `targets.${index}` })),
      ...(register?.registrar ?? []).map((uri) => ({ uri, path: 'register.registrar' })),
    ];
    for (const { uri, path } of places) {
      const target = readTarget(uri, transport);
      if (target === undefined) problems.push({ path: `trunks.${name}.${path}`, message: 'has no valid host' });
      else if (target.isDomain) domains.push({ domain: target.host, protocol: target.protocol });
      else peers.push(target.host);
    }
  }
  const secretFile = environment['SIDESTREAM_EDGE_SECRET_FILE'] ?? signalling.edgeSecretFile;
  const secret = secretFile ? readSecret(secretFile) : undefined;
  if (secret === undefined || secret === '') {
    const message = 'no secret: name a readable, non-empty file here or in SIDESTREAM_EDGE_SECRET_FILE';
    problems.push({ path: 'signalling.edgeSecretFile', message });
  }
  if (problems.length > 0) throw new ConfigError(path, problems);
  return {
    instance,
    log,
    management,
    telemetry,
    listen,
    advertise: signalling.advertise,
    peers,
    domains,
    callsFromStrangers: Object.values(trunks).some(
      ({ digest, peers, certificateNames }) => digest !== undefined && peers.length + certificateNames.length === 0,
    ),
    certificateNames: Object.values(trunks).flatMap(({ certificateNames }) => certificateNames),
    secret: new Secret(secret ?? ''),
    ...(signalling.tls ? { tls: signalling.tls } : {}),
    maxCalls: signalling.maxCalls,
    sources: signalling.sources,
  };
}

function parseListen(text: string): { protocol: TransportProtocol; host: string; port: number } {
  const [, protocol = '', address = ''] = /^(\w+):(.*)$/.exec(text) ?? [];
  if (protocol !== 'udp' && protocol !== 'tcp' && protocol !== 'tls') throw new Error(`'${text}' is no listener`);
  return { protocol, ...parseHostPort(address) };
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function readTarget(text: string, usual: TransportProtocol) {
  try {
    const { scheme, host, port, parameters } = parseUri(text);
    const named = parameters.get('transport');
    const chosen = named === 'udp' || named === 'tcp' || named === 'tls' ? named : usual;
    return {
      host,
      protocol: scheme === 'sips' ? 'tls' : chosen,
      isDomain: port === undefined && isIP(host) === 0,
    } as const;
  } catch {
    return undefined;
  }
}
