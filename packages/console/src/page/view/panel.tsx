/** One list of the console: its heading, and what stands for a table that is not there yet, is empty, or can't be read. */
import type { ComponentChildren, JSX } from 'preact';
import type { ApiErrorCode } from '../api/api-error.js';
import type { SectionState } from '../state/section.js';
import { frozenAt, TimeOfDay } from './times.js';

export interface PanelProps<Item> {
  readonly id: string;
  readonly title: string;
  readonly state: SectionState<readonly Item[]>;
  /** What an empty list means. */
  readonly empty: string;
  /** Beside the heading. */
  readonly tools?: ComponentChildren;
  /** Between the heading and the list. */
  readonly notes?: ComponentChildren;
  readonly children: (items: readonly Item[]) => ComponentChildren;
}

/** What concerns the whole page is said once, by its banner. */
const saidElsewhere: readonly ApiErrorCode[] = ['offline', 'signed-out', 'forbidden'];

export function Panel<Item>({ id, title, state, empty, tools, notes, children }: PanelProps<Item>): JSX.Element {
  const { value, error, readAt } = state;
  const isOld = readAt !== undefined && (error !== undefined || frozenAt.value !== undefined);
  return (
    <section class={isOld ? 'panel old' : 'panel'} id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>
          {title}
          {value !== undefined && <span class="count">{value.length}</span>}
        </h2>
        {isOld && (
          <span class="badge warn">
            As of <TimeOfDay time={new Date(readAt).toISOString()} />
          </span>
        )}
        {tools}
      </header>
      {error !== undefined && !saidElsewhere.includes(error.code) && <p class="fault">{error.message}</p>}
      {notes}
      {value === undefined && error === undefined && <p class="quiet">Loading…</p>}
      {value?.length === 0 && <p class="quiet">{empty}</p>}
      {value !== undefined && value.length > 0 && children(value)}
    </section>
  );
}
