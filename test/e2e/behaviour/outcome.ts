// What became of a recording beside a misbehaving recorder: as the tests observe it, and as the page says it. Pure.

/** The recorders of a tenant's list. */
export type RecorderName = 'first' | 'second';

/** What the recorders hold in the end, and what was announced. */
export interface Outcome {
  /** The recorders that authenticated audio, in the order of their first packets; one again after a gap counts again. */
  readonly parts: readonly RecorderName[];
  /** Voices in the last part. */
  readonly voices: 0 | 1 | 2;
  /** Why the recording ended; one that never started has failed. */
  readonly ended: string;
}

/** An outcome in words, with a bound on the gaps where it has any. */
export function describeOutcome({ parts, voices, ended }: Outcome, gapMs?: number): string {
  const success = ended === 'call-ended';
  const [head, ...rest] = parts;
  if (head === undefined)
    return ended === 'recorder-inactive' ? `waits, not a packet leaves: \`${ended}\`` : `fails: \`${ended}\``;
  const said = [head === 'first' ? 'is made' : 'is made by the next recorder'];
  if (rest.length > 0) {
    const where = rest.at(-1) === head ? 'at the same recorder' : 'at the next recorder';
    said.push(`goes on ${where}${gapMs === undefined ? '' : `, gap ≤ ${gapMs / 1_000} s`}`);
  }
  if (voices === 1) said.push('one voice alone');
  if (!success) said.push(`ends: \`${ended}\``);
  return said.join(', ');
}
