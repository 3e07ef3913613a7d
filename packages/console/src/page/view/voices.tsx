/** Both streams of a call: each party's packets per second, and those of them that leave for the recorder. */
import type { JSX } from 'preact';
import type { VoiceFlow } from '../state/voices.js';
import { Nothing } from './times.js';

export function Voices({ flows }: { readonly flows: readonly VoiceFlow[] }): JSX.Element {
  if (flows.length === 0) return <Nothing />;
  return (
    <ul class="voices">
      {flows.map(({ party, incoming, copied, tone }) => (
        <li key={party} class={tone}>
          <span class="who">{party}</span>
          <span class="number">{Math.round(incoming)}/s</span>
          {copied !== undefined && (
            <span class="copy number">
              <span aria-hidden="true">→</span>
              <span class="unseen">to the recorder</span> {Math.round(copied)}/s
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
