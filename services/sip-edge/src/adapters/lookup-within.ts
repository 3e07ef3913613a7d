// Host names to addresses, with a deadline: the resolver of the system has none that a caller could choose.
import { lookup } from 'node:dns/promises';

/**
 * Looks a name up (A and AAAA, as the system's resolver orders them).
 *
 * @throws Error when there is no such name or no answer in time.
 */
export async function lookupWithin(name: string, deadlineMs: number): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name}: no answer from DNS within ${deadlineMs} ms`)), deadlineMs);
    timer.unref();
  });
  try {
    const found = await Promise.race([lookup(name, { all: true }), late]);
    return found.map(({ address }) => address);
  } finally {
    clearTimeout(timer);
  }
}
