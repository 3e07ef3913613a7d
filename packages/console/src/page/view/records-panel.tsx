/** The calls that are over: the last ones, older ones page by page, and those that were lost with their instance. */
import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import type { CallRecord, RecordedRecording } from '../api/shapes.js';
import { capital, terminationCondition, verdictCondition } from '../state/conditions.js';
import { clock } from '../state/durations.js';
import { endedCalls } from '../state/ended-calls.js';
import type { Operations } from '../state/operations.js';
import { searchRecords } from '../state/search.js';
import { Host } from './address.js';
import { Badge } from './badge.js';
import { Panel } from './panel.js';
import { Parties } from './parties.js';
import { SearchField } from './search-field.js';
import { Cell, type Column, Table } from './table.js';
import { DayAndTime, Nothing } from './times.js';

const column = {
  ended: { title: 'Ended' },
  call: { title: 'Call' },
  parties: { title: 'Parties' },
  talked: { title: 'Talked', class: 'number' },
  termination: { title: 'Termination' },
  recording: { title: 'Recording' },
} satisfies Record<string, Column>;

export interface RecordsPanelProps {
  readonly operations: Operations;
  readonly words: Signal<string>;
}

export function RecordsPanel({ operations, words }: RecordsPanelProps): JSX.Element {
  const { value: records, ...rest } = operations.sections.records.state.value;
  const lost = operations.sections.calls.state.value.value?.lost ?? [];
  const value = records && endedCalls(records, lost);
  return (
    <Panel
      id="records"
      title="Ended calls"
      state={{ value, ...rest }}
      empty="No call has ended yet."
      tools={<SearchField label="Search ended calls" hint="Termination, recorder, tenant, call id" words={words} />}
    >
      {(all) => <RecordsTable records={searchRecords(all, words.value)} of={all.length} operations={operations} />}
    </Panel>
  );
}

interface RecordsTableProps {
  readonly records: readonly CallRecord[];
  readonly of: number;
  readonly operations: Operations;
}

function RecordsTable({ records, of, operations }: RecordsTableProps): JSX.Element {
  return (
    <>
      {records.length === 0 ? (
        <p class="quiet">None of {of} ended calls is like that.</p>
      ) : (
        <Table caption="The calls that ended last, the newest first" columns={Object.values(column)}>
          {records.map((record) => (
            <RecordRow key={record.callId} record={record} />
          ))}
        </Table>
      )}
      <Older operations={operations} />
    </>
  );
}

function Older({ operations }: { readonly operations: Operations }): JSX.Element | null {
  const { state, error } = operations.records.older.value;
  if (state === 'none') return null;
  if (state === 'full') return <p class="quiet">Older ones: sidestream calls list --ended, or the API.</p>;
  return (
    <p class="older">
      <button type="button" aria-disabled={state === 'reading'} onClick={() => void operations.readOlder()}>
        {state === 'reading' ? 'One moment…' : 'Show older calls'}
      </button>
      {error !== undefined && (
        <span class="fault" role="alert">
          {error.message}
        </span>
      )}
    </p>
  );
}

function RecordRow({ record }: { readonly record: CallRecord }): JSX.Element {
  const { termination, recordings, decision } = record;
  return (
    <tr data-record={record.callId}>
      <Cell of={column.ended}>
        <DayAndTime time={record.endedAt} />
      </Cell>
      <Cell of={column.call} isHeading>
        {capital(record.direction)}
        <span class="second">{record.tenant}</span>
      </Cell>
      <Cell of={column.parties}>
        <Parties call={record} />
      </Cell>
      <Cell of={column.talked}>{record.durationMs > 0 ? clock(record.durationMs) : <Nothing />}</Cell>
      <Cell of={column.termination}>
        <Badge {...terminationCondition(termination)} />
        {termination?.detail && <span class="second">{termination.detail}</span>}
      </Cell>
      <Cell of={column.recording}>
        <Badge {...verdictCondition(record)} />
        {recordings.length === 0 && decision !== undefined && <span class="second">{capital(decision.reason)}</span>}
        <ul class="plain">
          {recordings.map((recording) => (
            <RecordingItem key={recording.recordingId} recording={recording} />
          ))}
        </ul>
      </Cell>
    </tr>
  );
}

function RecordingItem({ recording }: { readonly recording: RecordedRecording }): JSX.Element {
  const { recorder, durationMs, gapMs, termination } = recording;
  return (
    <li class="second">
      {clock(durationMs)} at <Host of={recorder} />
      {termination !== undefined && <>, {termination.reason}</>}
      {gapMs > 0 && <>, gaps of {(gapMs / 1_000).toFixed(1)} s</>}
    </li>
  );
}
