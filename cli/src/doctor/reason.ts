// What an error says, for a table.

/** An error in one line. A failed attempt on several addresses is an AggregateError with an empty message. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const text = error instanceof Error ? error.message || error.name : String(error);
  const because = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  const whole = because === '' || text.includes(because) ? text : `${text}: ${because}`;
  return whole.replace(/\s+/g, ' ').slice(0, 400);
}
