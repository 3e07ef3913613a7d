/** What concerns the whole page: that nothing on it is current, why, and what can be done about it. It stays in sight. */
import type { JSX } from 'preact';
import { age } from '../state/durations.js';
import type { Operations } from '../state/operations.js';
import { now, TimeOfDay } from './times.js';

export interface BannerProps {
  readonly operations: Operations;
  readonly onSignIn: () => void;
}

export function Banner({ operations, onSignIn }: BannerProps): JSX.Element | null {
  const { value: connection } = operations.connection;
  const isSignedOut = connection === 'signed-out';
  if (connection !== 'offline' && connection !== 'unavailable' && !isSignedOut) return null;
  return (
    <section class="banner" aria-label="Connection">
      <p role="status">
        <strong>{operations.trouble.value}</strong>
      </p>
      <p>
        <Staleness operations={operations} />
      </p>
      <button type="button" class="small" onClick={() => (isSignedOut ? onSignIn() : operations.retry())}>
        {isSignedOut ? 'Sign in again' : 'Try now'}
      </button>
    </section>
  );
}

/** How old the calls are that are shown; empty while they are current. Not announced: it changes every second. */
export function Staleness({ operations }: { readonly operations: Operations }): JSX.Element | null {
  const [{ value: since }, { value: nextAt }] = [operations.staleSince, operations.nextTryAt];
  const isRetried = nextAt !== undefined && operations.connection.value !== 'signed-out';
  if (since === undefined) return null;
  return (
    <>
      What is shown is as of <TimeOfDay time={new Date(since).toISOString()} /> ({age(now.value - since)} old).
      {isRetried && <> Next attempt in {Math.max(0, Math.ceil((nextAt - now.value) / 1_000))} s.</>}
    </>
  );
}
