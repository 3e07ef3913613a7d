/** Finds one peer: an address in the environment, else a container, else Debian's binary, else the reason for none. */
import { setTimeout as delay } from 'node:timers/promises';
import { startBinary } from './binary.js';
import { findExecutable, readPeerEnvironment } from './config.js';
import { startContainer } from './container.js';
import { type Peer, PeerError, type PeerResult } from './peer.js';
import type { Recipe, Started } from './recipe.js';

const PROBE_EVERY_MS = 50;
const PROBE_TIMEOUT_MS = 2_000;
const DEFAULT_START_TIMEOUT_MS = 60_000;
/** Ports are picked before the peer binds them, so another process may be faster; a new try picks new ones. */
const BINARY_ATTEMPTS = 3;

/** Details every peer adds to {@link Peer}: its addresses. */
export interface Search<Kind extends string, Details> {
  kind: Kind;
  /** The peer that the environment names, reached by one probe. */
  environment: ((signal: AbortSignal) => Promise<Details>) | undefined;
  /** Makes a recipe with fresh ports. */
  recipe(): Promise<Recipe<Details>>;
  /** Whether the caller fixed the ports, so that a second try would meet the same conflict. */
  fixedPorts: boolean;
  /** No Debian package gives it and so no set-up: its absence is no error where CI is set either. */
  optional?: boolean;
  startTimeoutMs?: number | undefined;
}

function message(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Probes until one attempt succeeds; rejects when the process ends first or the time is over. */
async function whenReady<Details>(recipe: Recipe<Details>, started: Started, signal: AbortSignal): Promise<Details> {
  let over: string | undefined;
  void started.ended.then((how) => {
    over = `ended before it was ready (${how})`;
  });
  let last = 'no probe was made';
  while (over === undefined && !signal.aborted) {
    try {
      // One may end a little after the time is over. AbortSignal.any() of the two could be collected on Node 20 and never fire.
      return await recipe.probe(AbortSignal.timeout(PROBE_TIMEOUT_MS));
    } catch (error) {
      last = message(error);
    }
    await delay(PROBE_EVERY_MS);
  }
  const why = over ?? `not ready in time: ${last}`;
  throw new PeerError('not-ready', `${recipe.name}: ${why}\n${started.output()}`.trimEnd());
}

async function launch<Kind extends string, Details>(
  search: Search<Kind, Details>,
  how: 'container' | 'binary',
  start: (recipe: Recipe<Details>) => Promise<Started>,
): Promise<Peer<Kind> & Details> {
  const recipe = await search.recipe();
  const signal = AbortSignal.timeout(search.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS);
  const started = await start(recipe);
  try {
    const details = await whenReady(recipe, started, signal);
    const { pid, stop, kill, output } = started;
    return { kind: search.kind, how, pid, stop, kill, output, ...details };
  } catch (error) {
    await started.stop();
    throw error;
  }
}

/**
 * Runs the search. Rejects with PeerError when the environment names a peer that does not answer, when a binary is there
 * but does not become ready, and when nothing is found although continuous integration requires it.
 */
export async function resolvePeer<Kind extends string, Details>(
  search: Search<Kind, Details>,
): Promise<PeerResult<Peer<Kind> & Details>> {
  const environment = readPeerEnvironment();
  if (search.environment !== undefined) {
    const details = await search.environment(AbortSignal.timeout(PROBE_TIMEOUT_MS)).catch((cause: unknown) => {
      throw new PeerError('not-ready', `${search.kind}: the peer that the environment names does not answer`, {
        cause,
      });
    });
    const peer: Peer<Kind> = {
      kind: search.kind,
      how: 'environment',
      pid: undefined,
      stop: async () => undefined,
      kill: async () => {
        throw new PeerError('not-possible', `${search.kind} was not started here and is not killed from here`);
      },
      output: () => '',
    };
    return { peer: { ...peer, ...details } };
  }

  const reasons: string[] = [];
  if (environment.containers) {
    try {
      const timeoutMs = search.startTimeoutMs ?? DEFAULT_START_TIMEOUT_MS;
      return { peer: await launch(search, 'container', (recipe) => startContainer(recipe, timeoutMs)) };
    } catch (error) {
      reasons.push(message(error));
    }
  } else {
    reasons.push('containers are not tried');
  }

  const { command } = await search.recipe();
  const executable = findExecutable(command);
  if (executable !== undefined) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { peer: await launch(search, 'binary', (recipe) => startBinary(recipe, executable)) };
      } catch (error) {
        if (search.fixedPorts || attempt === BINARY_ATTEMPTS) throw error;
      }
    }
  }
  reasons.push(`no ${command} on PATH`);
  const reason = `${search.kind} is absent: ${reasons.join('; ')}`;
  if (environment.required && search.optional !== true) throw new PeerError('absent', reason);
  return { peer: undefined, reason };
}
