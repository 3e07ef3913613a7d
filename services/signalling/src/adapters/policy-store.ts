// The last policies on disk, for a start without NATS. `<directory>/<tenant>/` holds pointer.json and the snapshot that it names by
// its SHA-256: the snapshot is written first, so that a crash at any moment leaves a pair that fits or an error that says so.
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type PolicyPointer,
  type PolicySnapshot,
  policyPointer,
  receiveSnapshot,
  type SnapshotOrigin,
} from '@sidestream/policy';
import type { Logger } from '@sidestream/service';
import { writeWhole } from './write-whole.js';

/** A policy as it is kept: `checkedAt` is what this instance believed, and the snapshot was verified against the pointer. */
export interface KeptPolicy {
  readonly pointer: PolicyPointer;
  readonly snapshot: PolicySnapshot;
}

const pointerFile = 'pointer.json';
const maxPointerBytes = 64 * 1024;
/** Names a writer that died and left its file half written. */
const abandonedMs = 3_600_000;

export class PolicyStore {
  readonly #directory: string;
  readonly #log: Logger;
  /** By tenant: the newest that waits to be written. */
  readonly #waiting = new Map<string, KeptPolicy>();
  /** By tenant: the pointer on disk, as text, once it is known to be good. */
  readonly #written = new Map<string, string>();
  readonly #failing = new Set<string>();
  #loop: Promise<void> | undefined;

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#log = log;
  }

  /** What is kept of this tenant; undefined when there is nothing, or nothing usable, which is said. Never rejects. */
  async read(
    tenant: string,
    originOf: (pointer: PolicyPointer) => SnapshotOrigin,
    signal: AbortSignal,
  ): Promise<KeptPolicy | undefined> {
    const directory = join(this.#directory, tenant);
    try {
      const pointer = await readPointer(join(directory, pointerFile));
      if (pointer === undefined) return undefined;
      const file = join(directory, snapshotFile(pointer));
      // Before memory is taken for what a damaged pointer promises.
      const { size } = await stat(file);
      if (size !== pointer.bytes) throw new Error(`${file} has ${size} bytes instead of ${pointer.bytes}`);
      const snapshot = await receiveSnapshot(createReadStream(file), pointer, originOf(pointer), signal);
      this.#written.set(tenant, JSON.stringify(pointer));
      return { pointer, snapshot };
    } catch (error) {
      if (!signal.aborted) {
        this.#log.error({ err: error, tenant, directory }, 'the policy kept on disk is not usable; waiting for NATS');
      }
      return undefined;
    }
  }

  /** Keeps this policy from now on, beside the work: returns at once, never throws; the newest wins. */
  keep(tenant: string, policy: KeptPolicy): void {
    if (this.#written.get(tenant) === JSON.stringify(policy.pointer)) return;
    this.#waiting.set(tenant, policy);
    this.#start();
  }

  /** Resolves when all that waits has been written, or could not be. */
  async flushed(): Promise<void> {
    await this.#loop;
  }

  #start(): void {
    this.#loop ??= this.#drain().finally(() => {
      this.#loop = undefined;
      // One may have come in the very turn in which the loop ended.
      if (this.#waiting.size > 0) this.#start();
    });
  }

  async #drain(): Promise<void> {
    for (const [tenant, policy] of this.#waiting) {
      this.#waiting.delete(tenant);
      const directory = join(this.#directory, tenant);
      try {
        await this.#write(directory, tenant, policy);
        this.#written.set(tenant, JSON.stringify(policy.pointer));
        if (this.#failing.delete(tenant)) this.#log.info({ tenant, directory }, 'the policy is kept on disk again');
      } catch (error) {
        // Once, not for every pointer: it is tried again with the next one.
        if (!this.#failing.has(tenant)) {
          this.#log.warn(
            { err: error, tenant, directory },
            'the policy is not kept on disk; a start without NATS lacks it',
          );
        }
        this.#failing.add(tenant);
      }
    }
  }

  async #write(directory: string, tenant: string, { pointer, snapshot }: KeptPolicy): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, snapshotFile(pointer));
    if (!(await this.#isThere(file, tenant, pointer))) {
      this.#written.delete(tenant);
      await writeWhole(file, snapshot.bytes);
    }
    await writeWhole(join(directory, pointerFile), JSON.stringify(pointer));
    await removeOld(directory, snapshotFile(pointer));
  }

  /** Whether the snapshot is on disk already: what we have not written or verified ourselves is written anew. */
  async #isThere(file: string, tenant: string, { sha256, bytes }: PolicyPointer): Promise<boolean> {
    if (!this.#written.get(tenant)?.includes(sha256)) return false;
    return await stat(file).then(
      ({ size }) => size === bytes,
      () => false,
    );
  }
}

function snapshotFile({ sha256 }: PolicyPointer): string {
  return `${sha256}.snapshot`;
}

/** Undefined when there is none. */
async function readPointer(file: string): Promise<PolicyPointer | undefined> {
  try {
    const { size } = await stat(file);
    if (size > maxPointerBytes) throw new Error(`${file} is larger than ${maxPointerBytes} bytes`);
    return policyPointer.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${file} is no pointer to a policy`, { cause: error });
  }
}

/** Older snapshots, and what a writer that died has left. */
async function removeOld(directory: string, current: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = join(directory, name);
    if (name.endsWith('.tmp') ? await isAbandoned(file) : name.endsWith('.snapshot') && name !== current) {
      await rm(file, { force: true });
    }
  }
}

async function isAbandoned(file: string): Promise<boolean> {
  return await stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > abandonedMs,
    () => false,
  );
}
