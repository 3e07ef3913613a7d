// node deploy/kind/secrets.mjs [MADE-OF]: the Secrets of the local cluster as one Kubernetes List on stdout: certificates of one authority, NATS
// users with what helm/sidestream/nats-permissions.yaml lets them do. All are new at each run, live for two months and are written nowhere.
// MADE-OF is the annotation `made-of` of those that are there: nothing is printed where they are of the same permissions and live for a week yet.
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { createAuthority, issueNatsCredentials } from '../../packages/pki/dist/index.js';

const weekMs = 7 * 24 * 3_600_000;
const permissionsFile = new URL('../../helm/sidestream/nats-permissions.yaml', import.meta.url);
const hash = createHash('sha256');
for (const file of [permissionsFile, new URL(import.meta.url)]) hash.update(readFileSync(file));
const source = hash.digest('hex');
const [madeOf, until = ''] = (process.argv[2] ?? '').split(' ');
if (madeOf === source && Date.parse(until) > Date.now() + weekMs) process.exit(0);

const domain = 'sidestream.svc.cluster.local';
const authority = await createAuthority('Sidestream kind');

/** tls.crt, tls.key and ca.crt, as the chart wants them. */
async function identity(commonName, dnsNames, usages = 'both') {
  const { certificate, key } = await authority.issue({ commonName, dnsNames, usages });
  return { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authority.certificate };
}

const permissions = parse(readFileSync(permissionsFile, 'utf8'));
const users = ['signalling', 'media-relay', 'policy-sync', 'registration', 'cli'];
const { serverConfig, credentials } = issueNatsCredentials(
  Object.fromEntries(
    users.map((name) => [
      name,
      { publish: [...permissions.all.publish, ...permissions[name].publish], subscribe: permissions.all.subscribe },
    ]),
  ),
);
const natsConfig = `listen: 0.0.0.0:4222
http: 0.0.0.0:8222
# What streams reserve is a bound, not what is used.
jetstream { store_dir: /data, max_file_store: 16GB }
tls { cert_file: /etc/nats/tls.crt, key_file: /etc/nats/tls.key, ca_file: /etc/nats/ca.crt, verify: true }
${serverConfig}
`;

const clientSecret = randomBytes(24).toString('base64url');
const internal = 'sidestream.internal';
const links = users.map(async (name) => [
  `sidestream-${name}-tls`,
  await identity(name, [internal, `${name}.${internal}`]),
]);
const secrets = {
  ...Object.fromEntries(await Promise.all(links)),
  // localhost: through kubectl port-forward.
  nats: { ...(await identity('nats', [`nats.${domain}`, 'localhost'], 'server')), 'nats.conf': natsConfig },
  recorder: await identity('recorder', [`recorder.${domain}`], 'server'),
  provider: { ...(await identity('provider', [`provider.${domain}`], 'server')), 'client-secret': clientSecret },
  contoso: { ...(await identity('contoso', ['contoso.example'], 'client')), 'client-secret': clientSecret },
  ...Object.fromEntries(users.map((name) => [`sidestream-nats-${name}`, { 'user.creds': credentials[name] }])),
};
const ends = Object.values(secrets).flatMap((secret) =>
  secret['tls.crt'] === undefined ? [] : [Date.parse(new X509Certificate(secret['tls.crt']).validTo)],
);
const annotations = { 'made-of': `${source} ${new Date(Math.min(...ends)).toISOString()}` };
const items = Object.entries(secrets).map(([name, stringData]) => ({
  ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
  metadata: { name, annotations },
  stringData,
}));
process.stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`);
