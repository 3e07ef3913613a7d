// The configuration of the laboratory: one tenant, a carrier in front, a PBX behind.

import type { configSchema } from '@sidestream/service';
import type { z } from 'zod';

/** sidestream.yaml before defaults are applied. */
export type LaboratoryConfig = z.input<typeof configSchema>;

export interface LaboratoryAddresses {
  readonly natsUrl: string;
  readonly ng: string;
  readonly recorderUri: string;
  readonly customerHost: string;
  readonly sellerHost: string;
  readonly customerTarget: string;
  readonly sellerTarget: string;
  readonly accountId: string;
}

/** Sellers of the laboratory: the policy names the first, not the second. */
export const listedSeller = { id: 'ada', name: 'Ada Berger', number: '+493012345001' };
export const unlistedSeller = { id: 'bob', name: 'Bob Calder', number: '+493012345002' };

/** Builds the configuration; file names are relative to it. */
export function laboratoryConfig(at: LaboratoryAddresses): LaboratoryConfig {
  return {
    nats: { servers: [at.natsUrl] },
    grpc: { tls: { certFile: 'internal.crt', keyFile: 'internal.key', caFile: 'ca.crt' } },
    regions: { local: { recorders: [at.recorderUri] } },
    tenants: {
      contoso: {
        organizationId: 'ad3dca46-962a-4895-9f85-d25f3828781f',
        accountId: at.accountId,
        region: 'local',
        recording: { identity: { certFile: 'contoso.crt', keyFile: 'contoso.key' }, trustFile: 'ca.crt' },
        policy: { source: 'file', file: 'policy.yaml' },
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
    mediaRelay: { id: 'r1', region: 'local', rtpengine: { ng: at.ng } },
    log: { level: 'info' },
  };
}

/** The policy file of the laboratory's tenant. */
export function laboratoryPolicy(): object {
  return { users: [{ id: listedSeller.id, name: listedSeller.name, numbers: [listedSeller.number] }] };
}
