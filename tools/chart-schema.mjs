// values.schema.json (draft-07) of the chart: shapes and types are those of the defaults, `config` is sidestream.yaml's own schema
// without what the chart writes. Unknown keys are refused, except where a key is Kubernetes' own.

const text = { type: 'string' };
const texts = { type: 'object', additionalProperties: text };
const anyObject = { type: 'object' };
const objects = { type: 'array', items: anyObject };
const port = { type: 'integer', minimum: 1, maximum: 65535 };

/** What the defaults don't say, by the last keys of a path. */
const known = {
  imagePullPolicy: { enum: ['IfNotPresent', 'Always', 'Never'] },
  imagePullSecrets: { type: 'array', items: text },
  digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
  'nats.replicas': { enum: [1, 3, 5] },
  'tls.mode': { enum: ['existingSecret', 'certManager'] },
  'issuer.kind': { enum: ['Issuer', 'ClusterIssuer'] },
  'signalling.network': { enum: ['host', 'loadBalancer'] },
  'mediaRelay.network': { enum: ['host', 'pod'] },
  replicas: { type: 'integer', minimum: 0, maximum: 1000 },
  port,
  grpc: port,
  http: port,
  management: port,
  edgeAdmin: port,
  edgeMetrics: port,
  ng: port,
  'rtp.min': port,
  'rtp.max': port,
  addresses: { type: 'array', items: { type: 'string', minLength: 1 }, uniqueItems: true },
  nodeAddresses: { type: 'object', additionalProperties: { type: 'string', pattern: '^[0-9A-Fa-f.:]+$' } },
  'advertiseFrom.dns': { type: 'string', pattern: '^([^\\s/]*\\{node\\}[^\\s/]*)?$' },
  'advertiseFrom.metadata': { enum: ['', 'aws', 'gcp', 'azure'] },
  hostnames: { type: 'array', items: text },
  parentRefs: objects,
  sourceRanges: { type: 'array', items: text },
  engineThreads: { type: 'integer', minimum: 1, maximum: 256 },
  engineArgs: { type: 'array', items: text },
  stateVolumeClaim: anyObject,
  stateVolume: { type: 'object', minProperties: 1 },
  resources: anyObject,
  edgeResources: anyObject,
  engineResources: anyObject,
  extraEnv: { type: 'array', items: { type: 'object', required: ['name'] } },
  tolerations: objects,
  affinity: anyObject,
  nodeSelector: texts,
  podAnnotations: texts,
  podLabels: texts,
  annotations: texts,
  annotationsByNumber: { type: 'array', items: texts },
  labels: texts,
  monitoringNamespaces: anyObject,
  monitoringCidrs: {
    type: 'array',
    items: { type: 'string', pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$' },
    uniqueItems: true,
  },
  egress: objects,
  // None of it would stop the drain of a node for ever.
  'call.number': { type: 'string', pattern: '^([+0-9A-Za-z._-]+)?$' },
  'call.from': { type: 'string', pattern: '^[+0-9A-Za-z._-]+$' },
  recorderStatus: { type: 'string', pattern: '^(https?://.+)?$' },
  maxLoss: { type: 'integer', minimum: 0, maximum: 100 },
  maxUnavailable: {
    oneOf: [
      { type: 'integer', minimum: 1 },
      { type: 'string', pattern: '^(100|[1-9][0-9]?)%$' },
    ],
  },
  'autoscaling.by': { enum: ['hpa', 'keda'] },
  minReplicas: { type: 'integer', minimum: 1, maximum: 1000 },
  maxReplicas: { type: 'integer', minimum: 1, maximum: 1000 },
  averageValue: { type: 'integer', minimum: 1 },
  'keda.serverAddress': { type: 'string', pattern: '^(https?://\\S+)?$' },
  'keda.pollingInterval': { type: 'integer', minimum: 1 },
  'keda.metadata': texts,
  'authentication.kind': { enum: ['TriggerAuthentication', 'ClusterTriggerAuthentication'] },
  'store.kind': { enum: ['SecretStore', 'ClusterSecretStore'] },
  refreshInterval: { type: 'string', pattern: '^[0-9]+(s|m|h)$' },
  except: { type: 'array', items: text, uniqueItems: true },
  clusterDomain: { type: 'string', pattern: '^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$' },
  'backendTls.version': { enum: ['', 'v1', 'v1alpha3'] },
  'ca.kind': { enum: ['Secret', 'ConfigMap'] },
  serviceAnnotations: texts,
  dashboardLabels: { ...texts, minProperties: 1 },
  dashboardAnnotations: texts,
  files: {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['path', 'keys'],
      properties: {
        path: { type: 'string', pattern: '^[A-Za-z0-9._-]+$' },
        secret: text,
        configMap: text,
        keys: { type: 'array', items: text, minItems: 1 },
      },
      oneOf: [{ required: ['secret'] }, { required: ['configMap'] }],
    },
  },
};

/** What the chart writes into sidestream.yaml, and so is no value. */
const ofChart = {
  '': ['nats', 'grpc', 'regions', 'relays', 'management', 'policySync', 'registration'],
  signalling: [
    'id',
    'edge',
    'edgeSecretFile',
    'edgeMetrics',
    'listen',
    'advertise',
    'grpcListen',
    'grpcAdvertise',
    'tls',
    'sources',
    'stateDirectory',
  ],
  mediaRelay: ['id', 'region', 'rtpengine', 'listen', 'advertise'],
  gateway: ['id', 'listen', 'advertise'],
};

/** @param comments what values.yaml says of a path */
export function valuesSchema(defaults, configSchema, comments) {
  const schema = shape(defaults, '', comments);
  const { properties } = schema;
  properties.config = { ...trimmed(configSchema), description: comments.get('config') };
  properties.nats.properties.servers = { ...configSchema.properties.nats.properties.servers, minItems: 0 };
  properties.regions = {
    description: comments.get('regions'),
    type: 'object',
    propertyNames: { pattern: '^[a-z0-9][a-z0-9-]{0,62}$' },
    additionalProperties: {
      type: 'object',
      additionalProperties: false,
      required: ['recorders'],
      properties: {
        recorders: configSchema.properties.regions.additionalProperties.properties.recorders,
        cell: { type: 'boolean', default: true },
        signalling: { $ref: '#/properties/signalling' },
        mediaRelay: { $ref: '#/properties/mediaRelay' },
      },
    },
  };
  // Helm hands it to every chart that is part of another one.
  properties.global = anyObject;
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of the chart sidestream', ...schema };
}

function shape(value, path, comments) {
  const description = comments.get(path);
  const told = description === undefined ? {} : { description };
  const keys = path.split('.');
  const rule = known[keys.slice(-2).join('.')] ?? known[keys.at(-1)];
  if (rule !== undefined) return { ...told, ...rule };
  if (Array.isArray(value)) return { ...told, type: 'array' };
  if (typeof value !== 'object' || value === null)
    return { ...told, type: typeof value === 'number' ? 'integer' : typeof value };
  const inner = Object.entries(value).map(([key, child]) => [
    key,
    shape(child, path === '' ? key : `${path}.${key}`, comments),
  ]);
  return { ...told, type: 'object', additionalProperties: false, properties: Object.fromEntries(inner) };
}

function trimmed(configSchema) {
  const { $schema: _, title: __, description: ___, ...config } = structuredClone(configSchema);
  const without = (schema, keys) => {
    for (const key of keys) delete schema.properties[key];
    // What is required is known only with the chart's part: the services say what is missing.
    delete schema.required;
  };
  without(config, ofChart['']);
  for (const section of ['signalling', 'mediaRelay', 'gateway'])
    if (config.properties[section]?.properties) without(config.properties[section], ofChart[section]);
  return config;
}
