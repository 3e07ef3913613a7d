// Host names to addresses, with a deadline: the resolver of the system has none that a caller could choose.
import { lookup } from 'node:dns/promises';

/**
 * Looks a name up (A and AAAA, as the system's resolver orders them).
 *
 * @throws Error when there is no such name or no answer in time.
 */
export async function lookupWithin(name: string, deadlineMs: number): Promise<string[]> {
  const found = await answerWithin(lookup(name, { all: true }), name, deadlineMs);
  return found.map(({ address }) => address);
}

/** The answer of DNS to a question about this name. @throws Error when there is none in time, or what the answer rejects with. */
export async function answerWithin<T>(answer: Promise<T>, name: string, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name}: no answer from DNS within ${deadlineMs} ms`)), deadlineMs);
    timer.unref();
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
