// An upload that a crash cut short leaves chunks that belong to no object; nothing else would ever remove them.
import type { BusSession } from '@sidestream/service';

/**
 * Removes the chunks that no object owns. Only for the active instance, and before it uploads: those of an upload under way look the
 * same.
 * @returns how many uploads were removed
 */
export async function sweepChunks(session: BusSession, storeName: 'policy-snapshots'): Promise<number> {
  const store = await session.objectStore(storeName);
  const { streams } = await session.jetstream.jetstreamManager();
  const [stream, chunks, metas] = [`OBJ_${storeName}`, `$O.${storeName}.C.`, `$O.${storeName}.M.`];
  const { state } = await streams.info(stream, { subjects_filter: `$O.${storeName}.>` });
  const subjects = Object.keys(state.subjects ?? {});
  const owned = new Set<string>();
  for (const subject of subjects.filter((one) => one.startsWith(metas))) {
    const info = await store.info(Buffer.from(subject.slice(metas.length), 'base64url').toString());
    if (info?.deleted === false) owned.add(`${chunks}${info.nuid}`);
  }
  const orphans = subjects.filter((subject) => subject.startsWith(chunks) && !owned.has(subject));
  for (const filter of orphans) await streams.purge(stream, { filter });
  return orphans.length;
}
