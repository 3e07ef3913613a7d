import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';

export interface SearchFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly words: Signal<string>;
}

/** Narrows a list while one types. */
export function SearchField({ label, hint, words }: SearchFieldProps): JSX.Element {
  return (
    <label class="search">
      <span class="unseen">{label}</span>
      <input
        type="search"
        placeholder={hint}
        value={words.value}
        onInput={({ currentTarget }) => {
          words.value = currentTarget.value;
        }}
      />
    </label>
  );
}
