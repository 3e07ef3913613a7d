/** Tables. On a narrow screen each row becomes a card, in which every cell has its column's title before it. */
import type { ComponentChildren, JSX } from 'preact';

export interface Column {
  readonly title: string;
  /** `number`: set to the right. `extra`: left out where there is no room for it. `unseen`: its title is for screen readers. */
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

export interface CellProps {
  /** Its column. */
  readonly of: Column;
  /** It names the row. */
  readonly isHeading?: boolean;
  readonly children: ComponentChildren;
}

export function Cell({ of, isHeading = false, children }: CellProps): JSX.Element {
  const content = <div class="cell">{children}</div>;
  if (isHeading)
    return (
      <th scope="row" class={of.class} data-title={of.title}>
        {content}
      </th>
    );
  return (
    <td class={of.class} data-title={of.title}>
      {content}
    </td>
  );
}
