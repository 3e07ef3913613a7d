/** One list of the console: its heading, and what stands for a table that is not there yet, is empty, or can't be read. */
import type { ComponentChildren, JSX } from 'preact';
import type { Section } from '../state/section.js';
import { TimeOfDay } from './times.js';

export interface PanelProps<Item> {
  readonly id: string;
  readonly title: string;
  readonly section: Section<readonly Item[]>;
  /** What an empty list means. */
  readonly empty: string;
  /** Beside the heading. */
  readonly tools?: ComponentChildren;
  readonly children: (items: readonly Item[]) => ComponentChildren;
}

export function Panel<Item>({ id, title, section, empty, tools, children }: PanelProps<Item>): JSX.Element {
  const { value, error, readAt } = section.state.value;
  return (
    <section class="panel" id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>
          {title}
          {value !== undefined && <span class="count">{value.length}</span>}
        </h2>
        {tools}
      </header>
      {error !== undefined && (
        <p class="fault">
          {error.message}{' '}
          {readAt !== undefined && (
            <>
              Shown as of <TimeOfDay time={new Date(readAt).toISOString()} />.
            </>
          )}
        </p>
      )}
      {value === undefined && error === undefined && <p class="quiet">Loading…</p>}
      {value?.length === 0 && <p class="quiet">{empty}</p>}
      {value !== undefined && value.length > 0 && children(value)}
    </section>
  );
}

export interface Column {
  readonly title: string;
  /** `number`: set to the right. `extra`: left out where the screen is narrow. `unseen`: its title is for screen readers. */
  readonly class?: string;
}

export interface TableProps {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly children: ComponentChildren;
}

/** A table that scrolls by itself where it is wider than the screen, by keyboard too. */
export function Table({ caption, columns, children }: TableProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard (WCAG 2.1.1)
    <section class="scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={column.class === 'unseen' ? undefined : column.class}>
                {column.class === 'unseen' ? <span class="unseen">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
