// Values as operators write them: a small cell, and three regions in production.

const identity = { path: 'contoso', secret: 'contoso-identity', keys: ['tls.crt', 'tls.key'] };
const policy = { path: 'policy', configMap: 'contoso-policy', keys: ['policy.yaml'] };

/** One cell with a tenant whose policy is a file. */
export const oneRegion = {
  nats: { servers: ['tls://nats.nats.svc:4222'] },
  files: [identity, policy],
  config: {
    tenants: {
      contoso: {
        accountId: 'AC0123',
        region: 'eastus',
        recording: {
          notice: 'contract',
          identity: { certFile: 'files/contoso/tls.crt', keyFile: 'files/contoso/tls.key' },
        },
        policy: { source: 'file', file: 'files/policy/policy.yaml' },
      },
    },
    trunks: {
      carrier: {
        tenant: 'contoso',
        side: 'customer',
        peers: ['203.0.113.0/24'],
        targets: ['sip:203.0.113.9'],
        routes: [{ to: 'pbx' }],
      },
      pbx: {
        tenant: 'contoso',
        side: 'seller',
        peers: ['10.0.0.5/32'],
        targets: ['sip:10.0.0.5:5060'],
        routes: [{ to: 'carrier' }],
      },
    },
  },
  regions: { eastus: { recorders: ['eastus'] } },
};

/** Three regions that differ, with everything that production turns on. */
export const production = {
  ...oneRegion,
  imageRegistry: 'registry.example',
  imagePullSecrets: ['registry'],
  nats: { ...oneRegion.nats, tlsSecret: 'nats-client', credentials: { signalling: 'nats-signalling' } },
  tls: { mode: 'certManager', issuer: { name: 'internal' } },
  images: { signalling: { digest: `sha256:${'0'.repeat(64)}` } },
  config: {
    ...oneRegion.config,
    signalling: { drainSeconds: 3600, maxCalls: 1000 },
    mediaRelay: { mediaTimeout: '5m' },
  },
  monitoring: { enabled: true, dashboards: true, labels: { release: 'prometheus' } },
  networkPolicy: { monitoringNamespaces: { matchLabels: { team: 'observability' } } },
  keda: { serverAddress: 'http://prometheus.monitoring.svc:9090' },
  externalSecrets: { enabled: true, store: { name: 'vault' }, refreshInterval: '30m', except: ['registry'] },
  deletionCost: { enabled: true },
  operator: { enabled: true },
  policySync: { replicas: 3, priorityClassName: 'voice' },
  regions: {
    eastus: {
      recorders: ['eastus'],
      signalling: { nodeSelector: { pool: 'sip' }, autoscaling: { enabled: true } },
      mediaRelay: {
        replicas: 4,
        tolerations: [{ key: 'voice', operator: 'Exists', effect: 'NoSchedule' }],
        autoscaling: { enabled: true, by: 'keda', maxReplicas: 20 },
        rtp: { min: 10000, max: 19999 },
      },
    },
    northeurope: {
      recorders: ['northeurope'],
      signalling: {
        network: 'loadBalancer',
        addresses: ['198.51.100.10', '198.51.100.11'],
        sip: { tls: { secretName: 'sip-tls' } },
        loadBalancer: { sourceRanges: ['203.0.113.0/24'], annotations: { 'example.com/static': 'yes' } },
      },
      mediaRelay: { network: 'pod', podAnnotations: { note: 'x' } },
    },
    southeastasia: {
      recorders: [['southeastasia']],
      signalling: {
        replicas: 1,
        advertise: '192.0.2.7',
        extraEnv: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=700' }],
      },
      mediaRelay: { replicas: 1, advertise: '192.0.2.8', engineThreads: 8, engineArgs: ['--final-timeout=86400'] },
    },
  },
};
