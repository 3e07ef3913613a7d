/** Times as people read them. */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A running clock: `0:07`, `12:30`, `1:02:03`. Never negative: clocks of two machines differ. */
export function clock(durationMs: number): string {
  const total = Math.max(0, Math.floor(durationMs / second));
  const [hours, minutes, seconds] = [Math.floor(total / 3_600), Math.floor(total / 60) % 60, total % 60];
  const two = (part: number): string => String(part).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** One unit is enough for an age: `now`, `12 s`, `5 min`, `3 h`, `12 d`. */
export function age(durationMs: number): string {
  if (durationMs < second) return 'now';
  if (durationMs < minute) return `${Math.floor(durationMs / second)} s`;
  if (durationMs < hour) return `${Math.floor(durationMs / minute)} min`;
  if (durationMs < 2 * day) return `${Math.floor(durationMs / hour)} h`;
  return `${Math.floor(durationMs / day)} d`;
}

/** Whole days until then; negative when it is over. */
export function daysUntil(time: string, nowMs: number): number {
  return Math.floor((Date.parse(time) - nowMs) / day);
}
