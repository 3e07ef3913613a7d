/** The deadline of one step of a test. */
export function soon(ms = 5_000): AbortSignal {
  return AbortSignal.timeout(ms);
}
