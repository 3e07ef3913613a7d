/** A page that says one thing, and what can be done about it. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface NoticeProps {
  readonly title: string;
  readonly text: string;
  readonly isBusy?: boolean;
  readonly isError?: boolean;
  readonly action?: { readonly label: string; readonly onPress: () => void };
}

export function Notice({ title, text, isBusy = false, isError = false, action }: NoticeProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  // The page before it is gone, and the focus with it: a screen reader has to hear what became of it.
  useEffect(() => heading.current?.focus(), [title]);
  return (
    <main class="notice" aria-busy={isBusy}>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p class={isError ? 'fault' : undefined} role={isError ? 'alert' : undefined}>
        {text}
      </p>
      {action !== undefined && (
        <button type="button" class="primary" onClick={action.onPress}>
          {action.label}
        </button>
      )}
    </main>
  );
}
