/** Times that run on by themselves; each redraws nothing but itself. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { age, clock } from '../state/durations.js';

/** Unix milliseconds, once a second. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1_000);

const precise = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const short = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

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
  return since === undefined ? <Nothing /> : <span class="number">{clock(now.value - Date.parse(since))}</span>;
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

/** What there is none of: a dash for the eye, a word for a screen reader. */
export function Nothing(): JSX.Element {
  return (
    <span class="quiet">
      <span aria-hidden="true">–</span>
      <span class="unseen">none</span>
    </span>
  );
}
