import type { JSX } from 'preact';
import type { Condition } from '../state/conditions.js';

/** A state as a word; shape and colour only repeat it. */
export function Badge({ word, tone }: Condition): JSX.Element {
  return <span class={`badge ${tone}`}>{word}</span>;
}
