// The metadata services of clouds, which know an instance's public address where the instance itself doesn't.
import { httpExchange, SidestreamError } from '@sidestream/service';
import { z } from 'zod';

/** Clouds whose metadata service is known here. */
export const clouds = ['aws', 'gcp', 'azure'] as const;
export type Cloud = (typeof clouds)[number];

/** The same in all three: link-local, so that no question leaves the machine's own host. */
const usualBase = 'http://169.254.169.254';

/** Asks a path. @returns what is there; '' where the service says that there is nothing */
type Ask = (path: string, headers: Record<string, string>, method?: 'GET' | 'PUT') => Promise<string>;

/** For Azure: which public address stands before which private one. */
const translations = z.object({
  loadbalancer: z.object({
    publicIpAddresses: z.array(z.object({ frontendIpAddress: z.string(), privateIpAddress: z.string() })).default([]),
  }),
});

const asked: Readonly<Record<Cloud, (ask: Ask, own: string) => Promise<string>>> = {
  // IMDSv2: without a token many machines answer nothing.
  aws: async (ask) => {
    const token = await ask('/latest/api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }, 'PUT');
    return ask('/latest/meta-data/public-ipv4', { 'x-aws-ec2-metadata-token': token });
  },
  gcp: (ask) =>
    ask('/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip', {
      'metadata-flavor': 'Google',
    }),
  // Of a machine behind a load balancer of the standard kind, as nodes of AKS usually are, only the second knows.
  azure: async (ask, own) => {
    const headers = { metadata: 'true' };
    const address = '/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress';
    const told = await ask(`${address}?api-version=2021-02-01&format=text`, headers);
    if (told !== '') return told;
    const balanced = await ask('/metadata/loadbalancer?api-version=2020-10-01', headers);
    if (balanced === '') return '';
    const { publicIpAddresses } = translations.parse(JSON.parse(balanced)).loadbalancer;
    return publicIpAddresses.find(({ privateIpAddress }) => privateIpAddress === own)?.frontendIpAddress ?? '';
  },
};

/**
 * The public IPv4 address of this machine, as its cloud knows it.
 *
 * @param own the address that the machine itself has
 * @returns '' where the cloud says that there is none
 * @throws what the network said, or the status of an answer that is none
 */
export function publicAddress(cloud: Cloud, own: string, signal: AbortSignal, base = usualBase): Promise<string> {
  return asked[cloud](async (path, headers, method = 'GET') => {
    const { status, body } = await httpExchange(`${base}${path}`, signal, { method, headers });
    if (status === 200) return body.trim();
    if (status === 404) return '';
    throw new SidestreamError('not-ready', `${method} ${base}${path} is answered ${status}`);
  }, own);
}
