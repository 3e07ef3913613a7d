/** Times that run on by themselves; each redraws nothing but itself. */
import { computed, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { age, clock } from '../state/durations.js';

/** Unix milliseconds, once a second. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1_000);

/** When the calls that are shown were read, while it is not known how they are now: their clocks stand still. Set by the console. */
export const frozenAt = signal<number | undefined>(undefined);
const shownNow = computed(() => frozenAt.value ?? now.value);

const precise = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const short = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** How long ago that was; a dash for never. */
export function Age({ time }: { readonly time: string | undefined }): JSX.Element {
  if (time === undefined) return <Nothing />;
  const at = new Date(time);
  return (
    <time dateTime={time} title={precise.format(at)}>
      {age(now.value - at.getTime())}
    </time>
  );
}

/** A clock that runs since then. */
export function Running({ since }: { readonly since: string | undefined }): JSX.Element {
  return since === undefined ? <Nothing /> : <span class="number">{clock(shownNow.value - Date.parse(since))}</span>;
}

/** A time of day; the date with it in its title. */
export function TimeOfDay({ time }: { readonly time: string | undefined }): JSX.Element {
  if (time === undefined) return <Nothing />;
  const at = new Date(time);
  return (
    <time dateTime={time} title={precise.format(at)} class="number">
      {short.format(at)}
    </time>
  );
}

/** The same with the day before it, unless that is today. */
export function DayAndTime({ time }: { readonly time: string | undefined }): JSX.Element {
  if (time === undefined || day.format(new Date(time)) === day.format(now.value)) return <TimeOfDay time={time} />;
  return (
    <>
      {day.format(new Date(time))} <TimeOfDay time={time} />
    </>
  );
}

/** What there is none of: a dash for the eye, a word for a screen reader. */
export function Nothing(): JSX.Element {
  return (
    <span class="quiet">
      <span aria-hidden="true">–</span>
      <span class="unseen">none</span>
    </span>
  );
}
