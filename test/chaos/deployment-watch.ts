// What a deployment's processes hold, and what is left in them: memory after collecting garbage, timers, dialogs, transactions, sessions.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Laboratory } from '@sidestream/cli';
import { collect, rssKb } from '../bench/call/process-usage.js';
import { collectChildren } from '../bench/config.js';

/** Ours, which are Node's and collect their heaps when asked. */
const ours = ['sip-edge', 'signalling', 'media-relay'];

/** What a process holds. */
export interface Held {
  readonly rssKb: number;
  /** Timers that wait. */
  readonly timers?: number;
}

export class DeploymentWatch {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sidestream-chaos-'));

  /** To be made before the deployment is started: its processes must learn to collect. */
  constructor() {
    collectChildren(this.#directory);
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** By name; rtpengine and nats-server beside ours. */
  processes(laboratory: Laboratory): ReadonlyMap<string, number> {
    const services = [...laboratory.deployment.services].map(([name, { pid }]) => [name, pid] as const);
    const others = [['rtpengine', laboratory.rtpengine.pid] as const, ['nats-server', laboratory.nats.pid] as const];
    return new Map(
      [...services, ...others].flatMap(([name, pid]) => (pid === undefined ? [] : [[name, pid] as const])),
    );
  }

  /** @throws Error when a process is gone */
  async held(laboratory: Laboratory): Promise<ReadonlyMap<string, Held>> {
    const held = new Map<string, Held>();
    for (const [name, pid] of this.processes(laboratory)) {
      const collected = ours.includes(name) ? await collect(pid, this.#directory) : undefined;
      held.set(name, { rssKb: rssKb(pid), ...(collected && { timers: collected.timers }) });
    }
    return held;
  }
}

/** What must be nothing once the calls are over and the timers of RFC 3261 have run out. */
export async function leftovers(laboratory: Laboratory): Promise<Record<string, number>> {
  const [orphans, transactions, calls, sessions] = await Promise.all([
    laboratory.orphans(),
    laboratory.metric('sip-edge', 'sidestream_edge_transactions'),
    laboratory.metric('signalling', 'sidestream_calls_active'),
    laboratory.metric('media-relay', 'sidestream_media_sessions'),
  ]);
  return { ...orphans, transactions, calls, relaySessions: sessions };
}
