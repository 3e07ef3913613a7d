// The pods in rendered objects, and what must hold of each: Pod Security, limits, probes, volumes.
import { z } from 'zod';
import type { Manifest } from './helm.js';

const probe = z.looseObject({});
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  restartPolicy: z.string().optional(),
  lifecycle: z.unknown().optional(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.number(), protocol: z.string() })).default([]),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ cpu: z.string(), memory: z.string() }),
  }),
  volumeMounts: z
    .array(z.looseObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }))
    .default([]),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    runAsNonRoot: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }).strict(),
  }),
});

const item = z.object({ key: z.string(), path: z.string() });
const source = z.object({
  configMap: z.object({ name: z.string(), items: z.array(item).optional() }).optional(),
  secret: z.object({ name: z.string(), items: z.array(item) }).optional(),
});

const noHost = z.literal(false).optional();
/** Kinds of volumes that `restricted` lets in, of those that the chart may want. */
const volumeKinds = ['configMap', 'downwardAPI', 'emptyDir', 'persistentVolumeClaim', 'projected', 'secret'];

const volume = z
  .looseObject({ name: z.string(), projected: z.looseObject({ sources: z.array(source) }).optional() })
  .refine(
    ({ name, ...kinds }) =>
      Object.keys(kinds).length === 1 && Object.keys(kinds).every((kind) => volumeKinds.includes(kind)),
    'is of a kind that Pod Security refuses',
  );

const podSpec = z.looseObject({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.literal(false),
  hostNetwork: z.boolean().default(false),
  hostPID: noHost,
  hostIPC: noHost,
  enableServiceLinks: z.literal(false),
  imagePullSecrets: z.array(z.object({ name: z.string() })).default([]),
  terminationGracePeriodSeconds: z.number().optional(),
  securityContext: z.looseObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.number().min(1),
    seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
  }),
  initContainers: z.array(container).default([]),
  containers: z.array(container).min(1),
  volumes: z.array(volume).default([]),
});

export type Container = z.infer<typeof container>;
export type PodSpec = z.infer<typeof podSpec>;

/** A pod as some object makes it. */
export interface RenderedPod {
  readonly owner: Manifest;
  readonly component: string;
  readonly region: string | undefined;
  /** By which it is selected. */
  readonly podLabels: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

const labelled = z.object({ labels: z.record(z.string(), z.string()) });
const claim = z.object({ metadata: z.object({ name: z.string() }) });
const workload = z.object({
  spec: z.object({
    template: z.object({ metadata: labelled, spec: z.unknown() }),
    volumeClaimTemplates: z.array(claim).default([]),
  }),
});
const pod = z.object({ spec: z.unknown() });

/** Throws where a pod is not what Pod Security `restricted` wants but for the nodes' network, or misses limits. */
export function podsOf(objects: readonly Manifest[]): RenderedPod[] {
  return objects.flatMap((owner) => {
    const isWorkload = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].includes(owner.kind);
    if (!isWorkload && owner.kind !== 'Pod') return [];
    const template = isWorkload
      ? workload.parse(owner).spec.template
      : { ...pod.parse(owner), metadata: labelled.parse(owner.metadata) };
    const spec = podSpec.parse(template.spec);
    const claimed = isWorkload ? workload.parse(owner).spec.volumeClaimTemplates : [];
    spec.volumes.push(...claimed.map(({ metadata }) => ({ name: metadata.name })));
    const podLabels = template.metadata.labels;
    const region = owner.metadata.labels['sidestream/region'];
    const component = String(owner.metadata.labels['app.kubernetes.io/component']);
    return [{ owner, component, region: typeof region === 'string' ? region : undefined, podLabels, spec }];
  });
}

/** What is wrong with a pod beyond its shape. */
export function podFaults({ owner, component, spec }: RenderedPod): string[] {
  const faults: string[] = [];
  const say = (fault: string) => faults.push(`${owner.kind} ${owner.metadata.name}: ${fault}`);
  const volumes = new Set(spec.volumes.map(({ name }) => name));
  const running = [
    ...spec.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always'),
    ...spec.containers,
  ];
  for (const one of [...spec.initContainers, ...spec.containers]) {
    if (one.lifecycle !== undefined) say(`${one.name} has a hook: it would begin before signalling has drained`);
    if (/:(latest)?$/.test(one.image)) say(`${one.name} has an image without a version`);
    for (const { name } of one.volumeMounts)
      if (!volumes.has(name)) say(`${one.name} mounts ${name}, which is no volume`);
    for (const { name, value } of one.env)
      if (/secret|password|token/i.test(name) && value !== undefined && !value.startsWith('/'))
        say(`${one.name} has a secret in ${name}`);
  }
  if (owner.kind !== 'Pod')
    for (const one of running)
      for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
        if (one[kind] === undefined) say(`${one.name} has no ${kind}`);
  const ports = running.flatMap((one) =>
    one.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`),
  );
  if (new Set(ports).size !== ports.length) say(`ports clash: ${ports.join(', ')}`);
  const needsNodes = component === 'signalling' || component === 'media-relay';
  if (spec.hostNetwork && !needsNodes) say('is on the nodes’ network');
  if (owner.kind !== 'Pod' && spec.serviceAccountName !== owner.metadata.name) say('has no account of its own');
  return faults;
}
