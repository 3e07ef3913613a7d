// Stands for kube-apiserver, which no machine of ours has: keeps objects as Helm writes them, and fills in the one default that the tests
// are about. Knows nothing of controllers.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** Plural names by group and version, which Helm asks for. */
const resources: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: { Secret: 'secrets', ConfigMap: 'configmaps', Service: 'services', ServiceAccount: 'serviceaccounts' },
  'apps/v1': { Deployment: 'deployments', StatefulSet: 'statefulsets' },
  'autoscaling/v2': { HorizontalPodAutoscaler: 'horizontalpodautoscalers' },
  'policy/v1': { PodDisruptionBudget: 'poddisruptionbudgets' },
  'networking.k8s.io/v1': { NetworkPolicy: 'networkpolicies' },
  'keda.sh/v1alpha1': { ScaledObject: 'scaledobjects' },
};

const stored = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
  spec: z.looseObject({ replicas: z.number().optional() }).optional(),
});
type Stored = z.infer<typeof stored>;

/** An API server by HTTP on loopback; the caller closes it. */
export class KubeStore {
  readonly #objects = new Map<string, Stored>();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => reply(response, 500, { message: String(error) }));
  });

  /** @returns its URL */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** How many pods a workload has by its specification. @throws where it isn't there */
  replicasOf(name: string): number | undefined {
    return this.#workload(name).spec?.replicas;
  }

  /** As an autoscaler does. */
  scale(name: string, replicas: number): void {
    this.#workload(name).spec = { ...this.#workload(name).spec, replicas };
  }

  /** As KEDA does for a ScaledObject. */
  addAutoscaler(namespace: string, name: string): void {
    this.#objects.set(autoscalerPath(namespace, name), {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name, namespace },
    });
  }

  removeAutoscaler(namespace: string, name: string): void {
    this.#objects.delete(autoscalerPath(namespace, name));
  }

  #workload(name: string): Stored {
    const [found] = [...this.#objects].filter(
      ([path]) => path.startsWith('/apis/apps/v1/') && path.endsWith(`/${name}`),
    );
    if (found === undefined) throw new Error(`no workload ${name}`);
    return found[1];
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://kube');
    const discovery = discovered(path);
    if (discovery !== undefined) return reply(response, 200, discovery);
    const body = await read(request);
    const object = this.#objects.get(path);
    switch (request.method) {
      case 'POST': {
        const made = stored.parse(JSON.parse(body));
        this.#objects.set(`${path}/${made.metadata.name}`, defaulted(path, made));
        return reply(response, 201, made);
      }
      case 'PUT':
        this.#objects.set(path, defaulted(path, stored.parse(JSON.parse(body))));
        return reply(response, 200, this.#objects.get(path));
      case 'PATCH':
        this.#objects.set(path, defaulted(path, stored.parse(merged(object, JSON.parse(body)))));
        return reply(response, 200, this.#objects.get(path));
      case 'DELETE':
        this.#objects.delete(path);
        return reply(response, 200, { kind: 'Status', apiVersion: 'v1', status: 'Success' });
      default: {
        if (object !== undefined) return reply(response, 200, object);
        const kind = listed(path);
        if (kind === undefined) return reply(response, 404, { ...failure, reason: 'NotFound', code: 404 });
        const wanted = (searchParams.get('labelSelector') ?? '').split(',').filter((pair) => pair !== '');
        const items = [...this.#objects]
          .filter(([key]) => key.startsWith(`${path}/`))
          .map(([, item]) => item)
          .filter(({ metadata }) =>
            wanted.every((pair) => metadata.labels?.[pair.split('=')[0] ?? ''] === pair.split('=')[1]),
          );
        return reply(response, 200, { kind: `${kind}List`, apiVersion: 'v1', metadata: {}, items });
      }
    }
  }
}

const autoscalerPath = (namespace: string, name: string) =>
  `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}`;

function discovered(path: string): object | undefined {
  if (path === '/version') return { major: '1', minor: '36', gitVersion: 'v1.36.0' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const groups = Object.keys(resources)
      .filter((groupVersion) => groupVersion.includes('/'))
      .map((groupVersion) => {
        const version = { groupVersion, version: groupVersion.split('/')[1] };
        return { name: groupVersion.split('/')[0], versions: [version], preferredVersion: version };
      });
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  const groupVersion = path.replace(/^\/apis?\//, '');
  const kinds = resources[groupVersion];
  if (kinds === undefined) return undefined;
  const named = Object.entries(kinds).map(([kind, name]) => ({ kind, name, namespaced: true, verbs: ['get', 'list'] }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: named };
}

const failure = { kind: 'Status', apiVersion: 'v1', status: 'Failure' };

/** The kind of what is listed at this path. */
function listed(path: string): string | undefined {
  const plural = path.split('/').at(-1);
  return Object.values(resources)
    .flatMap((kinds) => Object.entries(kinds))
    .find(([, name]) => name === plural)?.[0];
}

/** The API server's default of a workload's number: one. */
function defaulted(path: string, object: Stored): Stored {
  if (path.startsWith('/apis/apps/v1/')) object.spec = { ...object.spec, replicas: object.spec?.replicas ?? 1 };
  return object;
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
