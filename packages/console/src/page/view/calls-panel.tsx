/** The live calls. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Call } from '../api/shapes.js';
import { capital, currentRecording, recordingCondition } from '../state/conditions.js';
import type { Operations } from '../state/operations.js';
import { mostRows, searchCalls } from '../state/search.js';
import { Badge } from './badge.js';
import { type Column, Panel, Table } from './panel.js';
import { Parties } from './parties.js';
import { Nothing, Running } from './times.js';

const columns: readonly Column[] = [
  { title: 'Call' },
  { title: 'Parties' },
  { title: 'State' },
  { title: 'Since answer', class: 'number' },
  { title: 'Decision', class: 'extra' },
  { title: 'Recording' },
  { title: 'Recorder', class: 'extra' },
  { title: 'Actions', class: 'unseen' },
];

export interface CallsPanelProps {
  readonly operations: Operations;
  readonly onOpen: (call: Call) => void;
}

export function CallsPanel({ operations, onOpen }: CallsPanelProps): JSX.Element {
  const [words, setWords] = useState('');
  const search = (
    <label class="search">
      <span class="unseen">Search live calls</span>
      <input
        type="search"
        placeholder="Tenant, trunk, recorder, state, call id"
        value={words}
        onInput={({ currentTarget }) => setWords(currentTarget.value)}
      />
    </label>
  );
  return (
    <Panel id="calls" title="Live calls" section={operations.sections.calls} empty="No calls right now." tools={search}>
      {(calls) => <CallsTable calls={searchCalls(calls, words)} of={calls.length} onOpen={onOpen} />}
    </Panel>
  );
}

interface CallsTableProps {
  readonly calls: readonly Call[];
  readonly of: number;
  readonly onOpen: (call: Call) => void;
}

function CallsTable({ calls, of, onOpen }: CallsTableProps): JSX.Element {
  if (calls.length === 0) return <p class="quiet">None of {of} calls is like that.</p>;
  const hidden = calls.length - mostRows;
  return (
    <>
      <Table caption="Live calls, the oldest first" columns={columns}>
        {calls.slice(0, mostRows).map((call) => (
          <CallRow key={call.callId} call={call} onOpen={onOpen} />
        ))}
      </Table>
      {hidden > 0 && <p class="quiet">{hidden} more: search to see them.</p>}
    </>
  );
}

function CallRow({ call, onOpen }: { readonly call: Call; readonly onOpen: (call: Call) => void }): JSX.Element {
  const recording = currentRecording(call);
  return (
    <tr data-call={call.callId}>
      <th scope="row">
        {capital(call.direction)}
        <span class="second">
          {call.tenant} · {call.trunk}
        </span>
      </th>
      <td>
        <Parties call={call} />
      </td>
      <td>{capital(call.phase)}</td>
      <td class="number">
        <Running since={call.answeredAt} />
      </td>
      <td class="extra">
        {call.decision === undefined ? (
          <Nothing />
        ) : (
          <>
            {call.decision.record ? 'Record' : 'Do not record'}
            <span class="second">{capital(call.decision.reason)}</span>
          </>
        )}
      </td>
      <td>
        <Badge {...recordingCondition(call)} />
        {call.missing !== undefined && <span class="second">{capital(call.missing.reason)}</span>}
      </td>
      <td class="extra">{recording === undefined ? <Nothing /> : recording.recorder}</td>
      <td class="actions">
        <button type="button" onClick={() => onOpen(call)}>
          Open
          <span class="unseen">
            {' '}
            call of {call.tenant}, {call.callId}
          </span>
        </button>
      </td>
    </tr>
  );
}
