import type { JSX } from 'preact';
import type { Recording } from '../api/shapes.js';
import { capital } from '../state/conditions.js';

/** Every recording of a call, the first one first. */
export function RecordingList({ recordings }: { readonly recordings: readonly Recording[] }): JSX.Element | null {
  if (recordings.length === 0) return null;
  return (
    <>
      <h3>Recordings</h3>
      <ol class="recordings">
        {recordings.map(({ recordingId, phase, recorder, recorderCallId, pausedBy }) => (
          <li key={recordingId}>
            {capital(phase)} at {recorder || 'no recorder yet'}
            {pausedBy.length > 0 && <>, paused by {pausedBy.join(' and ')}</>}
            <span class="second">
              Call-ID at the recorder <code>{recorderCallId}</code>
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
