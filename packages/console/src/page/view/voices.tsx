import type { JSX } from 'preact';
import type { StreamActivity } from '../api/shapes.js';
import { Nothing } from './times.js';

/** Both streams of a recording, and whether packets of them flow. */
export function Voices({ streams }: { readonly streams: readonly StreamActivity[] | undefined }): JSX.Element {
  if (streams === undefined || streams.length === 0) return <Nothing />;
  return (
    <ul class="voices">
      {streams.map(({ label, active }) => (
        <li key={label} class={active ? 'flows' : undefined}>
          {label}
          <span class="unseen">{active ? ' flows' : ' is silent'}</span>
        </li>
      ))}
    </ul>
  );
}
