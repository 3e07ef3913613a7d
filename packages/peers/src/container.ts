/**
 * Starts a peer as a container by testcontainers where a Docker daemon answers. The container shares the host's network:
 * media ports are many, and the address that a peer writes into SDP must be the one it is reached at.
 */
import type { GenericContainer } from 'testcontainers';
import { PeerError } from './peer.js';
import type { Recipe, Started } from './recipe.js';

type Testcontainers = typeof import('testcontainers');

const DIRECTORY = '/sidestream';

let runtime: Promise<Testcontainers | string> | undefined;

/** The library when a daemon answers, else the reason; asked once per process. A docker command on PATH proves nothing. */
function containerRuntime(): Promise<Testcontainers | string> {
  runtime ??= (async () => {
    try {
      const library = await import('testcontainers');
      await library.getContainerRuntimeClient();
      return library;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  })();
  return runtime;
}

/** The layers of a build are kept, so that it takes long only once. */
async function imageOf({ image, build }: Recipe<unknown>, library: Testcontainers): Promise<GenericContainer> {
  if (build === undefined) return new library.GenericContainer(image);
  return library.GenericContainer.fromDockerfile(build.context, build.file).build(image, { deleteOnExit: false });
}

/** Pulls or builds (when needed) and starts the recipe's image; rejects with PeerError('absent' | 'not-ready'). */
export async function startContainer(recipe: Recipe<unknown>, startTimeoutMs: number): Promise<Started> {
  const library = await containerRuntime();
  if (typeof library === 'string') throw new PeerError('absent', `no container runtime: ${library}`);
  try {
    let container = (await imageOf(recipe, library))
      .withNetworkMode('host')
      .withEntrypoint([recipe.command])
      .withCommand(recipe.args(DIRECTORY))
      .withStartupTimeout(startTimeoutMs);
    for (const [name, content] of Object.entries(recipe.files ?? {})) {
      container = container.withCopyContentToContainer([{ content, target: `${DIRECTORY}/${name}` }]);
    }
    const started = await container.start();
    const client = await library.getContainerRuntimeClient();
    let stopping: Promise<void> | undefined;
    return {
      pid: undefined,
      // Nothing is told when a container ends; readiness probes then run into their deadline instead.
      ended: new Promise(() => undefined),
      output: () => '',
      stop: () => {
        stopping ??= started.stop({ remove: true }).then(() => undefined);
        return stopping;
      },
      kill: async (signal) => {
        await client.container.getById(started.getId()).kill({ signal });
      },
    };
  } catch (cause) {
    throw new PeerError('not-ready', `${recipe.name}: image ${recipe.image} could not be started`, { cause });
  }
}
