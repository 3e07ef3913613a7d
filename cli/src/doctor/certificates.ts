// Check `certificates`: every certificate, key and file of authorities that the configuration names.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { type GrpcTls, parseHostPort, recordersOf, type TenantConfig } from '@sidestream/service';
import { recorderEndpoints } from '@sidestream/siprec';
import { type Check, type Finding, fail, type Probe } from './check.js';
import type { Examined } from './examined.js';
import { type CertificateNeeds, judgeCertificate, judgeRecordingIdentity, judgeTrust } from './judge-certificate.js';
import { hostOf, targetPlaces } from './places.js';

const todo = 'the file must be readable, and PEM';

export const certificatesCheck: Check = {
  name: 'certificates',
  about: 'key, dates, chain, names and usages of every certificate, and the authorities that are trusted',
  probes: (examined) => [
    ...examined.tenants.map(([name, tenant]) => recordingProbe(examined, name, tenant)),
    ...ownCertificates(examined).map(({ certFile, keyFile, trustFile, ...needs }) =>
      probe(needs.where, () => {
        const trust = trustFile && { where: trustFile.where, certificates: certificatesOf(trustFile.file) };
        return judgeCertificate(read(certFile), read(keyFile), { ...needs, trust }, new Date());
      }),
    ),
    ...trustFiles(examined).map(({ where, file }) => probe(where, () => judgeTrust(read(file), where, new Date()))),
  ],
};

/** What keeps a tenant's certificate from being shown at all; undefined: nothing. */
export function identityFault({ config }: Examined, name: string, tenant: TenantConfig): Finding | undefined {
  return judgeIdentity(config.regions, name, tenant).find(({ state }) => state === 'fail');
}

interface OwnCertificate extends Omit<CertificateNeeds, 'trust'> {
  readonly certFile: string;
  readonly keyFile: string;
  readonly trustFile?: { readonly where: string; readonly file: string };
}

function probe(where: string, run: () => readonly Finding[]): Probe {
  return { where, todo, run };
}

function recordingProbe({ config }: Examined, name: string, tenant: TenantConfig): Probe {
  return probe(`tenants.${name}.recording.identity`, () => judgeIdentity(config.regions, name, tenant));
}

function judgeIdentity(regions: Examined['config']['regions'], name: string, tenant: TenantConfig): Finding[] {
  const { identity, trustFile } = tenant.recording;
  const where = `tenants.${name}.recording.identity`;
  // Who has recorders of his own, and named their authority, may have had it sign for us as well.
  const documented = recordersOf(tenant, regions).some(({ recorder }) => recorderEndpoints.has(recorder.toLowerCase()));
  try {
    const own = documented || trustFile === undefined ? undefined : [...publicRoots(), ...certificatesOf(trustFile)];
    return judgeRecordingIdentity(read(identity.certFile), read(identity.keyFile), {
      where,
      roots: own,
      now: new Date(),
    });
  } catch (error) {
    return [fail(where, error instanceof Error ? error.message : String(error), todo)];
  }
}

function ownCertificates(examined: Examined): OwnCertificate[] {
  const { nats, grpc, signalling, gateway } = examined.config;
  const dialsTls = targetPlaces(examined).some(({ protocol }) => protocol === 'tls');
  const name = (tls: { certFile: string; keyFile: string }) => ({ certFile: tls.certFile, keyFile: tls.keyFile });
  return [
    ...(nats.tls
      ? [
          {
            ...name(nats.tls),
            ...{ where: 'nats.tls.certFile', usages: ['client'] as const, names: [] },
            trustFile: { where: 'nats.tls.caFile', file: nats.tls.caFile },
          },
        ]
      : []),
    ...(grpc.tls
      ? [
          {
            ...name(grpc.tls),
            ...{ where: 'grpc.tls.certFile', usages: ['client', 'server'] as const },
            names: grpcNames(grpc.tls, examined),
            trustFile: { where: 'grpc.tls.caFile', file: grpc.tls.caFile },
          },
        ]
      : []),
    ...(signalling.tls
      ? [
          {
            ...name(signalling.tls),
            where: 'signalling.tls.certFile',
            usages: dialsTls ? (['server', 'client'] as const) : (['server'] as const),
            // Peers look for the domain by which they call us, which is not configured.
            names: [],
          },
        ]
      : []),
    ...(gateway?.tls
      ? [
          {
            ...name(gateway.tls),
            ...{ where: 'gateway.tls.certFile', usages: ['server'] as const },
            names: gateway.publicUrl === undefined ? [] : [hostOf(gateway.publicUrl)],
          },
        ]
      : []),
    ...examined.tenants.flatMap(([tenant, { provider }]) =>
      provider?.clientCertificateFile !== undefined && provider.clientKeyFile !== undefined
        ? [
            {
              ...{ certFile: provider.clientCertificateFile, keyFile: provider.clientKeyFile },
              ...{ where: `tenants.${tenant}.provider.clientCertificateFile`, usages: [], names: [], rsa: true },
            },
          ]
        : [],
    ),
  ];
}

/** Where names are checked, the certificate is that of commands. */
function grpcNames({ checkNames, serverName }: GrpcTls, examined: Examined): string[] {
  if (serverName === undefined) return grpcHosts(examined);
  return [checkNames === true ? `cli.${serverName}` : serverName];
}

/** By which addresses services call each other here. */
function grpcHosts({ config: { mediaRelay, signalling, policySync, registration } }: Examined): string[] {
  const services = [
    mediaRelay,
    policySync,
    registration,
    { listen: signalling.grpcListen, advertise: signalling.grpcAdvertise },
  ];
  const hosts = services.map(({ listen, advertise }) =>
    advertise === undefined ? parseHostPort(listen).host : advertise.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''),
  );
  return [...new Set(hosts)].filter((host) => !['0.0.0.0', '::'].includes(host));
}

function trustFiles({ config, tenants }: Examined): { where: string; file: string }[] {
  const files: (readonly [where: string, file: string | undefined])[] = [
    ['nats.tls.caFile', config.nats.tls?.caFile],
    ['grpc.tls.caFile', config.grpc.tls?.caFile],
    ['signalling.tls.trustFile', config.signalling.tls?.trustFile],
    ...(config.gateway?.issuers ?? []).map(
      ({ trustFile }, index) => [`gateway.issuers.${index}.trustFile`, trustFile] as const,
    ),
    ['telemetry.traces.caFile', config.telemetry.traces?.caFile],
    ...tenants.flatMap(([name, { recording, provider }]) => [
      [`tenants.${name}.recording.trustFile`, recording.trustFile] as const,
      [`tenants.${name}.provider.trustFile`, provider?.trustFile] as const,
    ]),
  ];
  return files.flatMap(([where, file]) => (file === undefined ? [] : [{ where, file }]));
}

let roots: readonly X509Certificate[] | undefined;

function publicRoots(): readonly X509Certificate[] {
  roots ??= rootCertificates.map((pem) => new X509Certificate(pem));
  return roots;
}

/** The certificates of a PEM file; those that can't be read are told by the check of that file. */
function certificatesOf(file: string): X509Certificate[] {
  const blocks = read(file).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}
