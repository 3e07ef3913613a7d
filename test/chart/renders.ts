// Every case in which the chart is rendered: each switch, two versions of Kubernetes, awkward names of releases.
import { searchPath } from './config.js';
import { findHelm, type Helm, type Manifest, type Render } from './helm.js';
import { podsOf, type RenderedPod } from './pods.js';
import { oneRegion, production } from './values.js';

const found = findHelm(searchPath());
/** Why nothing is rendered here, or false. */
export const skip = typeof found === 'string' ? `the chart is not rendered: ${found}` : false;
/** Helm, where nothing is skipped. */
export const helm = () => found as Helm;

const crds = ['monitoring.coreos.com/v1', 'gateway.networking.k8s.io/v1/BackendTLSPolicy'];
const olderCrds = ['gateway.networking.k8s.io/v1alpha3/BackendTLSPolicy'];
const web = {
  enabled: true,
  ingress: { enabled: true, host: 'sidestream.example', tlsSecret: 'web-tls', className: 'nginx' },
  httpRoute: { enabled: true, hostnames: ['sidestream.example'], parentRefs: [{ name: 'public', namespace: 'edge' }] },
};
const loadBalancer = { network: 'loadBalancer', addresses: ['198.51.100.1', '198.51.100.2'] };

const keda = {
  serverAddress: 'https://prometheus.monitoring.svc:9090',
  authentication: { name: 'prometheus', kind: 'ClusterTriggerAuthentication' },
  metadata: { authModes: 'bearer' },
};

const issuer = { tenant: 'contoso', issuer: 'https://login.example/contoso', audience: 'api://sidestream' };
const webFace = { gateway: web, config: { ...oneRegion.config, gateway: { issuers: [issuer] } } };

const externalSecrets = { enabled: true, store: { name: 'vault', kind: 'ClusterSecretStore' }, keyPrefix: 'voice/' };
/** Signalling that needs Secrets of each kind. */
const secretive = {
  sip: { tls: { secretName: 'sip-tls' } },
  extraEnv: [{ name: 'EXTRA', valueFrom: { secretKeyRef: { name: 'extra', key: 'value' } } }],
};

/** Of a certificate that users' browsers trust, and which the Gateway checks by a ConfigMap of its own. */
const ownCertificate = {
  gateway: {
    ...web,
    serviceAnnotations: { 'traefik.ingress.kubernetes.io/service.serversscheme': 'https' },
    httpRoute: {
      ...web.httpRoute,
      backendTls: { version: 'v1', hostname: 'sidestream.example', ca: { kind: 'ConfigMap', name: 'public-ca' } },
    },
  },
  files: [...oneRegion.files, { path: 'web', secret: 'web-tls', keys: ['tls.crt', 'tls.key'] }],
  config: {
    ...webFace.config,
    gateway: { ...webFace.config.gateway, tls: { certFile: 'files/web/tls.crt', keyFile: 'files/web/tls.key' } },
  },
};

/** To everything but the metadata of a cloud's nodes. */
const egress = { egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }] }] };
const bounded = {
  signalling: { ...loadBalancer, networkPolicy: egress },
  mediaRelay: { network: 'pod', networkPolicy: egress },
  policySync: { networkPolicy: egress },
  gateway: { enabled: true, networkPolicy: egress },
  operator: { enabled: true, networkPolicy: egress },
};

const testCall = { tests: { call: { enabled: true, number: '+12025550199', recorderStatus: 'http://recorder:8080' } } };

/** Each switch by itself, on one region. */
const switches: Readonly<Record<string, Render>> = {
  defaults: {},
  'one region': { values: oneRegion },
  'load balancers': { values: { ...oneRegion, signalling: loadBalancer, mediaRelay: { network: 'pod' } } },
  'load balancers, addresses of pods': {
    values: {
      ...oneRegion,
      signalling: {
        network: 'loadBalancer',
        advertise: 'pod',
        stateVolumeClaim: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
      mediaRelay: { network: 'pod' },
    },
  },
  'one pod of each': {
    values: { ...oneRegion, signalling: { replicas: 1, advertise: '192.0.2.1' }, mediaRelay: { replicas: 1 } },
  },
  'addresses of nodes': {
    values: {
      ...oneRegion,
      signalling: { nodeAddresses: { 'node-1': '203.0.113.1', '1e3': '2001:db8::2' } },
      mediaRelay: { advertiseFrom: { dns: '{node}.public.example.com' } },
      regions: {
        ...oneRegion.regions,
        westus: {
          recorders: ['global'],
          signalling: { advertiseFrom: { metadata: 'azure' } },
          mediaRelay: { nodeAddresses: { 'node-3': '203.0.113.3' } },
        },
      },
    },
  },
  autoscaling: {
    values: {
      ...oneRegion,
      signalling: { autoscaling: { enabled: true } },
      mediaRelay: { autoscaling: { enabled: true } },
    },
  },
  'autoscaling by KEDA': {
    values: {
      ...oneRegion,
      keda,
      signalling: { autoscaling: { enabled: true, by: 'keda' } },
      mediaRelay: { autoscaling: { enabled: true, by: 'keda', minReplicas: 1 } },
    },
  },
  'load balancers by KEDA': {
    values: {
      ...oneRegion,
      keda,
      signalling: { ...loadBalancer, autoscaling: { enabled: true, by: 'keda', maxReplicas: 2 } },
    },
  },
  'deletion cost': { values: { ...oneRegion, deletionCost: { enabled: true } } },
  'deletion cost, load balancers': {
    values: { ...oneRegion, deletionCost: { enabled: true }, signalling: loadBalancer },
  },
  'no budgets, no policies': {
    values: { ...oneRegion, podDisruptionBudget: { enabled: false }, networkPolicy: { enabled: false } },
  },
  'no control plane': { values: { ...oneRegion, policySync: { enabled: false }, registration: { enabled: false } } },
  'cert-manager': {
    values: { ...oneRegion, tls: { mode: 'certManager', issuer: { name: 'x', kind: 'ClusterIssuer' } } },
  },
  'names checked': { values: { ...oneRegion, ...webFace, tls: { checkNames: true } }, apiVersions: crds },
  'one certificate for all': { values: { ...oneRegion, tls: { secretName: 'internal' } } },
  monitoring: { values: { ...oneRegion, monitoring: { enabled: true } }, apiVersions: crds },
  'monitoring, forced': { values: { ...oneRegion, monitoring: { enabled: true, force: true } } },
  'test call': { values: { ...production, ...testCall } },
  'web face': { values: { ...oneRegion, ...webFace }, apiVersions: crds },
  'web face, older Gateway API': { values: { ...oneRegion, ...webFace }, apiVersions: olderCrds },
  'web face, own certificate': { values: { ...oneRegion, ...ownCertificate } },
  egress: { values: { ...oneRegion, ...webFace, ...bounded } },
  operator: { values: { ...oneRegion, ...ownCertificate, externalSecrets, operator: { enabled: true } } },
  'external secrets': {
    values: { ...oneRegion, ...webFace, externalSecrets, imagePullSecrets: ['registry'], signalling: secretive },
    apiVersions: crds,
  },
  'external secrets, web face': {
    values: { ...oneRegion, ...ownCertificate, externalSecrets: { ...externalSecrets, except: ['web-tls'] } },
    apiVersions: [...crds, 'external-secrets.io/v1beta1'],
  },
  production: { values: production, apiVersions: crds },
};
const versions = ['1.29.0', '1.36.0'];
const releases = ['n', 'on', '123', '1e3'];

const rendered = new Map<string, Manifest[]>();

/** The objects of one case, by default under the newest version of Kubernetes. Rendered once. */
export function objectsOf(name: string, kubeVersion = '1.36.0'): Manifest[] {
  const render = switches[name];
  if (render === undefined) throw new Error(`there is no case ${name}`);
  return once(`${name}, ${kubeVersion}`, { ...render, kubeVersion });
}

/** Every case under each version of Kubernetes, and production under each awkward release name. */
export function renders(): Map<string, Manifest[]> {
  for (const name of Object.keys(switches)) for (const version of versions) objectsOf(name, version);
  for (const release of releases)
    for (const kubeVersion of versions)
      once(`release ${release}, ${kubeVersion}`, { ...switches['production'], release, kubeVersion });
  return rendered;
}

function once(name: string, render: Render): Manifest[] {
  const objects = rendered.get(name) ?? helm().template(render);
  rendered.set(name, objects);
  return objects;
}

/** Every pod of every case, with the case and its objects. */
export function* pods(): Generator<[string, RenderedPod, Manifest[]]> {
  for (const [name, objects] of renders()) for (const pod of podsOf(objects)) yield [name, pod, objects];
}
