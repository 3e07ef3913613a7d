/** The calls that ended last. */
import type { JSX } from 'preact';
import type { CallRecord, RecordedRecording } from '../api/shapes.js';
import { capital, terminationCondition } from '../state/conditions.js';
import { clock } from '../state/durations.js';
import type { Operations } from '../state/operations.js';
import { Badge } from './badge.js';
import { type Column, Panel, Table } from './panel.js';
import { Parties } from './parties.js';
import { Nothing, TimeOfDay } from './times.js';

const columns: readonly Column[] = [
  { title: 'Ended', class: 'number' },
  { title: 'Call' },
  { title: 'Parties' },
  { title: 'Talked', class: 'number' },
  { title: 'Termination' },
  { title: 'Recordings' },
];

export function RecordsPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel id="records" title="Ended calls" section={operations.sections.records} empty="No call has ended yet.">
      {(records) => (
        <Table caption="The calls that ended last, the newest first" columns={columns}>
          {records.map((record) => (
            <RecordRow key={record.callId} record={record} />
          ))}
        </Table>
      )}
    </Panel>
  );
}

function RecordRow({ record }: { readonly record: CallRecord }): JSX.Element {
  const { termination, recordings, decision } = record;
  return (
    <tr data-record={record.callId}>
      <td class="number">
        <TimeOfDay time={record.endedAt} />
      </td>
      <th scope="row">
        {capital(record.direction)}
        <span class="second">{record.tenant}</span>
      </th>
      <td>
        <Parties call={record} />
      </td>
      <td class="number">{record.durationMs > 0 ? clock(record.durationMs) : <Nothing />}</td>
      <td>
        <Badge {...terminationCondition(termination)} />
        {termination?.detail && <span class="second">{termination.detail}</span>}
      </td>
      <td>
        {recordings.length > 0 ? (
          <ul class="plain">
            {recordings.map((recording) => (
              <RecordingItem key={recording.recordingId} recording={recording} />
            ))}
          </ul>
        ) : (
          <span class="quiet">
            {decision === undefined ? 'none' : `none: ${capital(decision.reason).toLowerCase()}`}
          </span>
        )}
      </td>
    </tr>
  );
}

function RecordingItem({ recording }: { readonly recording: RecordedRecording }): JSX.Element {
  const { recorder, durationMs, gapMs, termination } = recording;
  return (
    <li>
      <Badge {...terminationCondition(termination)} /> {clock(durationMs)} at {recorder}
      {gapMs > 0 && <span class="second">gaps of {(gapMs / 1_000).toFixed(1)} s</span>}
    </li>
  );
}
