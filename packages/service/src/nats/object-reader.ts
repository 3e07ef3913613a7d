// An object of the object store, chunk by chunk. The client's own get() buffers whatever the server pushes, hashes it in JavaScript and
// waits a minute for a dead server: a large object would hold up the calls. Here the reader sets the pace and silence is an error.
import { DeliverPolicy } from '@nats-io/jetstream';
import { SidestreamError } from '../errors.js';
import type { BusSession } from './bus.js';
import type { ObjectStoreName } from './layout.js';

/** So many chunks are on their way at once: of the usual 128 KiB they are read within a millisecond or two. */
const maxChunksAhead = 8;
const heartbeatMs = 1_000;
const silenceMs = 5_000;
/** A consumer that we could not delete goes by itself. */
const inactiveMs = 30_000;

/**
 * The chunks of an object, as they were put. Whether they are all and sound is the reader's to check.
 * @param signal ends the reading, with its reason
 * @throws SidestreamError 'not-found' without such an object, 'deadline-exceeded' when no chunk comes for 5 s
 */
export async function* readObject(
  session: BusSession,
  store: ObjectStoreName,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const info = await (await session.objectStore(store)).info(name);
  if (info === null || info.deleted) throw new SidestreamError('not-found', `no object '${name}' in ${store}`);
  if (info.size === 0) return;
  const consumer = await session.jetstream.consumers.get(`OBJ_${store}`, {
    filter_subjects: `$O.${store}.C.${info.nuid}`,
    deliver_policy: DeliverPolicy.All,
    inactive_threshold: inactiveMs,
  });
  try {
    if ((await consumer.info(true)).num_pending === 0) return;
    const options = { max_messages: maxChunksAhead, idle_heartbeat: heartbeatMs, expires: 5 * heartbeatMs };
    const messages = await consumer.consume(options);
    let heardAt = performance.now();
    const stop = () => messages.stop();
    const checking = setInterval(() => {
      if (performance.now() - heardAt > silenceMs) stop();
    }, heartbeatMs);
    checking.unref();
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      for await (const { data, info: at } of messages) {
        yield data;
        heardAt = performance.now();
        if (at.pending === 0) return;
      }
    } finally {
      clearInterval(checking);
      signal.removeEventListener('abort', stop);
      stop();
    }
    signal.throwIfAborted();
    throw new SidestreamError('deadline-exceeded', `object '${name}' of ${store}: NATS was silent for ${silenceMs} ms`);
  } finally {
    consumer.delete().catch(() => undefined);
  }
}
