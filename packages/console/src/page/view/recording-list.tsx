import type { JSX } from 'preact';
import type { Call } from '../api/shapes.js';
import { capital } from '../state/conditions.js';
import { voiceFlows } from '../state/voices.js';
import { Address } from './address.js';
import { Voices } from './voices.js';

export interface RecordingListProps {
  readonly call: Call;
  /** Whether it is known how the voices flow now. */
  readonly isCurrent: boolean;
}

/** Every recording of a call, the first one first; each with its own copy of the voices where there are several at once. */
export function RecordingList({ call, isCurrent }: RecordingListProps): JSX.Element | null {
  const { recordings } = call;
  if (recordings.length === 0) return null;
  const areSeveral = recordings.filter(({ phase }) => phase !== 'ended').length > 1;
  return (
    <>
      <h3>Recordings</h3>
      <ol class="recordings">
        {recordings.map((recording) => {
          const { recordingId, phase, recorder, recorderCallId, pausedBy } = recording;
          return (
            <li key={recordingId}>
              {capital(phase)} at {recorder ? <Address text={recorder} /> : 'no recorder yet'}
              {pausedBy.length > 0 && <>, paused by {pausedBy.join(' and ')}</>}
              {isCurrent && areSeveral && phase !== 'ended' && <Voices flows={voiceFlows(call, recording)} />}
              <span class="second">
                Call-ID at the recorder <code>{recorderCallId}</code>
              </span>
            </li>
          );
        })}
      </ol>
    </>
  );
}
