// /etc/sidestream of a rendered pod, made on disk as the kubelet would, and read by the service that the pod runs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readConfig } from '@sidestream/service';
import { z } from 'zod';
import type { Manifest } from './helm.js';
import type { RenderedPod } from './pods.js';

/** The reader of each service, as its process calls it. */
const readers = {
  signalling: { folder: 'signalling', name: 'readSignallingConfig' },
  'media-relay': { folder: 'media-relay', name: 'readRelayConfig' },
  'policy-sync': { folder: 'policy-sync', name: 'readPolicySyncConfig' },
  registration: { folder: 'registration', name: 'readRegistrationConfig' },
  gateway: { folder: 'gateway', name: 'readGatewayConfig' },
} as const;

const data = z.object({ data: z.object({ 'sidestream.yaml': z.string() }) });
const reader = z.custom<(environment: NodeJS.ProcessEnv) => unknown>((value) => typeof value === 'function');
const isReadable = (component: string): component is keyof typeof readers => component in readers;

/** The command line has none of its own: its commands that examine files read the whole. */
async function readerOf(component: string): Promise<z.infer<typeof reader> | undefined> {
  if (component === 'cli') return ({ SIDESTREAM_CONFIG }) => readConfig(SIDESTREAM_CONFIG ?? '');
  if (!isReadable(component)) return undefined;
  const { folder, name } = readers[component];
  const module: Record<string, unknown> = await import(
    new URL(`../../../services/${folder}/dist/config.js`, import.meta.url).href
  );
  return reader.parse(module[name]);
}

/** What a service has read in a pod of that address, or undefined where the pod runs none of ours. @throws ConfigError */
export async function configurationOf(
  pod: RenderedPod,
  objects: readonly Manifest[],
  address = '10.1.2.3',
): Promise<unknown> {
  const read = await readerOf(pod.component);
  if (read === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-chart-'));
  try {
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    };
    for (const { secret, configMap } of pod.spec.volumes.find((one) => one.name === 'config')?.projected?.sources ??
      []) {
      const items = secret?.items ?? configMap?.items;
      for (const { path } of items ?? []) put(path, 'as the cluster has it');
      if (configMap === undefined || items !== undefined) continue;
      const map = objects.find((object) => object.kind === 'ConfigMap' && object.metadata.name === configMap.name);
      put('sidestream.yaml', data.parse(map).data['sidestream.yaml']);
    }
    put('edge-secret', 'made at each start');
    const instance = `${pod.owner.metadata.name}-7d9f8b6c5d-x2x9z`;
    const variables = pod.spec.containers[0]?.env.map(({ name, value = '' }) => [
      name,
      value.replace('$(SIDESTREAM_INSTANCE)', instance),
    ]);
    return read({
      ...Object.fromEntries(variables ?? []),
      SIDESTREAM_CONFIG: join(directory, 'sidestream.yaml'),
      SIDESTREAM_INSTANCE: instance,
      SIDESTREAM_ADVERTISE: address,
      SIDESTREAM_EDGE_SECRET_FILE: join(directory, 'edge-secret'),
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
