// Whether a fork does its work, judged by what the engine counts from one look to the next. Pure: no engine, no clock.
// The engine counts what comes in and what it could not send, not what it sent: what left is the difference.

/** One look at a fork. */
export interface ForkSample {
  /** Of a clock that never steps back. */
  readonly atMs: number;
  /** The lines that the recorder takes, in their order. */
  readonly lines: readonly {
    /** Packets that the party has sent to the engine. */
    readonly came: number;
    /** Those that could not be sent to the recorder; undefined: the engine does not fork this line at all. */
    readonly failed: number | undefined;
  }[];
  /** Packets of the recorder: its RTCP, mostly. */
  readonly returned: number;
}

/** stalled: a party sends, and for a while nothing of it has left. recorder-silent: no more RTCP of a recorder that used to send it. */
export type ForkCondition = (typeof forkConditions)[number];
export const forkConditions = ['flowing', 'stalled', 'recorder-silent'] as const;

export interface ForkLimits {
  readonly stalledAfterMs: number;
  /** Undefined: a recorder may fall silent. */
  readonly silentAfterMs: number | undefined;
}

/** What is known of a fork after some looks. */
export interface ForkHistory {
  readonly last: ForkSample;
  /** Per line: since when nothing of what came has left; undefined while it leaves, or nothing comes. */
  readonly stuckSinceMs: readonly (number | undefined)[];
  /** Looks at which the recorder had been heard anew. */
  readonly heard: number;
  readonly lastHeardMs: number;
  /** How long media has been leaving without a word of the recorder; and the longest that this was before it spoke again. */
  readonly unheardMs: number;
  readonly longestUnheardMs: number;
  /** On each line on which something has come, something has left. */
  readonly confirmed: boolean;
  readonly condition: ForkCondition;
  /** Since when it has been so. */
  readonly sinceMs: number;
}

/** A single early packet is no habit (RFC 6263 knows such). */
const heardUntilHabit = 2;
/** A recorder that reports seldom is not silent before so many times its longest interval. */
const intervalsUntilSilent = 3;

export function firstLook(sample: ForkSample): ForkHistory {
  return {
    last: sample,
    stuckSinceMs: sample.lines.map(() => undefined),
    heard: 0,
    lastHeardMs: sample.atMs,
    unheardMs: 0,
    longestUnheardMs: 0,
    confirmed: false,
    condition: 'flowing',
    sinceMs: sample.atMs,
  };
}

/** What is known after one more look. Counters that were set back, or other lines than before, begin a new history. */
export function nextLook(before: ForkHistory, sample: ForkSample, limits: ForkLimits): ForkHistory {
  const { last } = before;
  const came = sample.lines.map((line, index) => line.came - (last.lines[index]?.came ?? 0));
  const returned = sample.returned - last.returned;
  if (sample.lines.length !== last.lines.length || returned < 0 || came.some((count) => count < 0))
    return { ...firstLook(sample), condition: before.condition, sinceMs: before.sinceMs };
  const left = sample.lines.map(({ failed }, index) =>
    failed === undefined ? 0 : (came[index] ?? 0) - Math.max(0, failed - (last.lines[index]?.failed ?? 0)),
  );
  const stuckSinceMs = left.map((count, index) => {
    if (count > 0) return undefined;
    const since = before.stuckSinceMs[index];
    // A party that sends nothing (hold, mute, silence suppression) proves nothing.
    return came[index] === 0 ? since : (since ?? last.atMs);
  });
  const heard = hear(
    before,
    sample,
    returned,
    left.some((count) => count > 0),
  );
  const leaves = left.some((count) => count > 0) && stuckSinceMs.every((since) => since === undefined);
  return {
    last: sample,
    stuckSinceMs,
    confirmed: before.confirmed || leaves,
    ...heard,
    ...judge(before, stuckSinceMs, heard, sample.atMs, limits),
  };
}

type Hearing = Pick<ForkHistory, 'heard' | 'lastHeardMs' | 'unheardMs' | 'longestUnheardMs'>;

/** The recorder's silence counts only while it gets something: some report nothing when they hear nothing. */
function hear(before: ForkHistory, { atMs }: ForkSample, returned: number, leaves: boolean): Hearing {
  const { heard, lastHeardMs, longestUnheardMs } = before;
  const unheardMs = before.unheardMs + (leaves ? atMs - before.last.atMs : 0);
  if (returned === 0) return { heard, lastHeardMs, unheardMs, longestUnheardMs };
  const longest = heard === 0 ? 0 : Math.max(longestUnheardMs, unheardMs);
  return { heard: heard + 1, lastHeardMs: atMs, unheardMs: 0, longestUnheardMs: longest };
}

function judge(
  before: ForkHistory,
  stuckSinceMs: ForkHistory['stuckSinceMs'],
  { heard, lastHeardMs, unheardMs, longestUnheardMs }: Hearing,
  atMs: number,
  { stalledAfterMs, silentAfterMs }: ForkLimits,
): Pick<ForkHistory, 'condition' | 'sinceMs'> {
  const stuck = stuckSinceMs.filter((since) => since !== undefined);
  const stuckSince = Math.min(...stuck);
  if (stuck.length > 0 && atMs - stuckSince >= stalledAfterMs) return { condition: 'stalled', sinceMs: stuckSince };
  const habit = heard >= heardUntilHabit && silentAfterMs !== undefined;
  if (habit && unheardMs >= Math.max(silentAfterMs, intervalsUntilSilent * longestUnheardMs))
    return { condition: 'recorder-silent', sinceMs: lastHeardMs };
  return { condition: 'flowing', sinceMs: before.condition === 'flowing' ? before.sinceMs : atMs };
}
