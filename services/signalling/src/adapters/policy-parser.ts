// A policy text into its snapshot without holding up the calls: a large one is read in another thread.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  openSnapshot,
  PolicyError,
  type PolicyProblem,
  type PolicySnapshot,
  parsePolicyFile,
} from '@sidestream/policy';
import { SidestreamError } from '@sidestream/service';

/** What the thread is given. */
export interface PolicyText {
  readonly content: string;
  /** What errors call it. */
  readonly file: string;
}

/** What the thread answers. */
export type PolicyVerdict =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly problems: readonly PolicyProblem[] };

/** Up to here reading takes a few milliseconds, which is less than starting a thread. */
const maxInlineChars = 16 * 1024;
const deadlineMs = 60_000;

/**
 * The snapshot of a policy text.
 * @param signal gives up
 * @throws PolicyError when it is not usable, SidestreamError 'deadline-exceeded' after a minute
 */
export async function parsePolicy({ content, file }: PolicyText, signal: AbortSignal): Promise<PolicySnapshot> {
  if (content.length <= maxInlineChars) return parsePolicyFile(content, file);
  const worker = new Worker(new URL('./policy-worker.js', import.meta.url), { workerData: { content, file } });
  const late = setTimeout(() => void worker.terminate(), deadlineMs);
  late.unref();
  const stop = () => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const answered = once(worker, 'message').then(([verdict]: PolicyVerdict[]) => verdict);
    const ended = once(worker, 'exit').then(() => undefined);
    const verdict = await Promise.race([answered, ended]);
    if (verdict === undefined) throw new SidestreamError('deadline-exceeded', `policy ${file} was not read in time`);
    if ('problems' in verdict) throw new PolicyError(file, verdict.problems);
    return openSnapshot(verdict.bytes, { fetchedAt: new Date(), source: file });
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
