// A snapshot from wherever it is kept, without holding up the calls: copied and hashed in small steps, checked before it is used.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { PolicyError } from './policy-error.js';
import type { PolicyPointer } from './policy-pointer.js';
import { openSnapshot, type PolicySnapshot, type SnapshotOrigin } from './policy-snapshot.js';

/** Hashing and copying so much takes well below a millisecond. */
const stepBytes = 256 * 1024;

/**
 * Puts the chunks of an object together and opens them. Others get a turn after every 256 KiB; memory is taken once, for the whole.
 * @param signal gives up between two steps
 * @throws PolicyError when size, SHA-256 or revision are not the pointer's or the bytes are no snapshot; else what `chunks` or
 * `signal` throw
 */
export async function receiveSnapshot(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  pointer: Pick<PolicyPointer, 'bytes' | 'sha256' | 'revision'>,
  origin: SnapshotOrigin,
  signal: AbortSignal,
): Promise<PolicySnapshot> {
  const refuse = (message: string) => new PolicyError(origin.source ?? pointer.revision, [{ path: '', message }]);
  const bytes = new Uint8Array(pointer.bytes);
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of chunks) {
    if (length + chunk.length > bytes.length) throw refuse(`more than the ${bytes.length} bytes that were promised`);
    let from = 0;
    do {
      const step = chunk.subarray(from, from + stepBytes);
      bytes.set(step, length);
      hash.update(step);
      length += step.length;
      from += stepBytes;
      await setImmediate();
      signal.throwIfAborted();
    } while (from < chunk.length);
  }
  if (length !== bytes.length) throw refuse(`${length} bytes instead of ${bytes.length}`);
  const sha256 = hash.digest('hex');
  if (sha256 !== pointer.sha256) throw refuse(`SHA-256 ${sha256} instead of ${pointer.sha256}`);
  const snapshot = openSnapshot(bytes, origin);
  if (snapshot.revision !== pointer.revision) {
    throw refuse(`revision ${snapshot.revision} instead of ${pointer.revision}`);
  }
  return snapshot;
}
