// What the environment says to the chart's tests: the only place of them that reads it.

/** Where programs are looked for. */
export function searchPath(): string {
  return process.env['PATH'] ?? '';
}
