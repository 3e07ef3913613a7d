// `trunks:` of sidestream.yaml: the SIP peers, who they are and where their calls go.
import { z } from 'zod';
import { cidr, name } from './values.js';

const sipTarget = z
  .string()
  .regex(/^sips?:[^\s;?<>@]+(;transport=(udp|tcp|tls))?$/, 'must be sip:host[:port][;transport=udp|tcp|tls]');

export const trunkSchema = z
  .strictObject({
    tenant: name,
    side: z.enum(['customer', 'seller']),
    transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
    peers: z.array(cidr).default([]),
    targets: z.array(sipTarget).default([]),
    routes: z.array(z.strictObject({ to: name })).min(1),
  })
  .refine((trunk) => trunk.peers.length + trunk.targets.length > 0, {
    path: ['peers'],
    message: 'a trunk needs peers (who may call in) or targets (where calls go)',
  });

export type TrunkConfig = z.output<typeof trunkSchema>;
