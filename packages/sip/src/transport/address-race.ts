// Which of a host's addresses gets the connection: RFC 8305 §5. Knows no sockets.
import { SipError } from '../sip-error.js';

/** One address's attempt; it gives up when its signal aborts. */
type Attempt<T> = (address: string, signal: AbortSignal) => Promise<T>;

/** RFC 8305 §8: the recommended Connection Attempt Delay. */
const attemptDelayMs = 250;

/**
 * Tries addresses in order and resolves with the first success: the next one starts 250 ms after the one before, or at once when
 * that one has failed; the others are given up then. `discard` gets a success that comes too late.
 * @throws SipError the most telling failure: what TLS refused at any address before what was just not reached; the reason of
 *   the signal, a SipError, where addresses are still being tried
 */
export function raceAddresses<T>(
  addresses: readonly string[],
  attempt: Attempt<T>,
  discard: (late: T) => void,
  signal: AbortSignal,
): Promise<T> {
  const losers = new AbortController();
  const failures: unknown[] = [];
  let next = 0;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  return new Promise<T>((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      losers.abort();
      outcome();
    };
    const onAbort = (): void => settle(() => reject(mostTelling([...failures, signal.reason])));
    const startNext = (): void => {
      clearTimeout(timer);
      const address = addresses[next];
      next += 1;
      if (address === undefined) return;
      attempt(address, losers.signal).then(
        (success) => {
          if (over) discard(success);
          else settle(() => resolve(success));
        },
        (error: unknown) => {
          failures.push(error);
          if (failures.length === addresses.length) settle(() => reject(mostTelling(failures)));
          else if (!over) startNext();
        },
      );
      timer = setTimeout(startNext, attemptDelayMs);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else startNext();
  });
}

function mostTelling(failures: readonly unknown[]): unknown {
  const cancelled = failures.find((error) => error instanceof SipError && error.code === 'cancelled');
  const refused = failures.find((error) => error instanceof SipError && error.code === 'tls-refused');
  return cancelled ?? refused ?? failures.at(-1);
}
