// The configuration of the laboratory: one tenant, a carrier in front, a PBX behind.

import type { configSchema } from '@sidestream/service';
import type { z } from 'zod';

/** sidestream.yaml before defaults are applied. */
export type LaboratoryConfig = z.input<typeof configSchema>;

export interface LaboratoryAddresses {
  readonly natsUrl: string;
  readonly ng: string;
  /** Of rtpengine's own metrics. */
  readonly engineHttp: string | undefined;
  readonly recorderUri: string;
  readonly customerHost: string;
  readonly sellerHost: string;
  readonly customerTarget: string;
  readonly sellerTarget: string;
  /** Where Entra and the provider API are; undefined: the policy is a file. */
  readonly providerOrigin: string | undefined;
}

/** The account that the laboratory's tenant has at its recorder. */
export const accountId = 'AC00000000000000000000000000000001';

/** What the names in certificates between services end with. */
export const laboratoryServerName = 'sidestream.internal';

/** How the laboratory's tenant is known to its provider. */
export const laboratoryProvider = {
  entraTenantId: '22222222-2222-4222-8222-222222222222',
  clientId: '11111111-1111-4111-8111-111111111111',
  secret: 'no-secret-outside-this-laboratory',
  secretFile: 'provider-secret',
};

/** Sellers of the laboratory: the policy names the first, not the second. */
export const listedSeller = { id: 'ada', name: 'Ada Berger', number: '+493012345001' };
export const unlistedSeller = { id: 'bob', name: 'Bob Calder', number: '+493012345002' };

/** Builds the configuration; file names are relative to it. */
export function laboratoryConfig(at: LaboratoryAddresses): LaboratoryConfig {
  return {
    nats: { servers: [at.natsUrl] },
    grpc: {
      tls: {
        certFile: '{service}.crt',
        keyFile: '{service}.key',
        caFile: 'ca.crt',
        serverName: laboratoryServerName,
        checkNames: true,
      },
    },
    regions: { local: { recorders: [at.recorderUri] } },
    tenants: {
      contoso: {
        organizationId: 'ad3dca46-962a-4895-9f85-d25f3828781f',
        accountId,
        region: 'local',
        recording: {
          identity: { certFile: 'contoso.crt', keyFile: 'contoso.key' },
          trustFile: 'ca.crt',
          notice: 'contract',
        },
        ...policyOf(at.providerOrigin),
      },
    },
    trunks: {
      carrier: {
        tenant: 'contoso',
        side: 'customer',
        peers: [`${at.customerHost}/32`],
        targets: [`sip:${at.customerTarget}`],
        routes: [{ to: 'pbx' }],
      },
      pbx: {
        tenant: 'contoso',
        side: 'seller',
        peers: [`${at.sellerHost}/32`],
        targets: [`sip:${at.sellerTarget}`],
        routes: [{ to: 'carrier' }],
      },
    },
    signalling: { id: 's1', listen: ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0'], drainSeconds: 1 },
    mediaRelay: { id: 'r1', region: 'local', rtpengine: { ng: at.ng, ...(at.engineHttp && { http: at.engineHttp }) } },
    // Reserved in JetStream's store, which is a small one beside a demo.
    records: { maxBytes: 64 * 1024 * 1024 },
    log: { level: 'info' },
  };
}

/** From the provider, asked every second, or from a file. */
function policyOf(
  providerOrigin: string | undefined,
): Pick<LaboratoryConfig['tenants'][string], 'policy' | 'provider'> {
  if (providerOrigin === undefined) return { policy: { source: 'file', file: 'policy.yaml' } };
  const { entraTenantId, clientId, secretFile } = laboratoryProvider;
  return {
    policy: { source: 'provider', pollInterval: '1s' },
    provider: {
      entraTenantId,
      clientId,
      clientSecretFile: secretFile,
      authority: providerOrigin,
      apiBaseUrl: providerOrigin,
      trustFile: 'ca.crt',
    },
  };
}

/** The users whom the laboratory's provider names. */
export function laboratoryUsers(): object[] {
  return [{ id: listedSeller.id, displayName: listedSeller.name, businessPhones: [listedSeller.number] }];
}

/** The policy file of the laboratory's tenant. */
export function laboratoryPolicy(): object {
  return { users: [{ id: listedSeller.id, name: listedSeller.name, numbers: [listedSeller.number] }] };
}
