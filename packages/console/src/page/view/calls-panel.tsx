/** The live calls. */
import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Call, Instance } from '../api/shapes.js';
import { capital, currentRecording, recordingCondition } from '../state/conditions.js';
import { instanceTrouble, silentSince } from '../state/instances.js';
import type { Operations } from '../state/operations.js';
import { mostRows, searchCalls } from '../state/search.js';
import { voiceFlows } from '../state/voices.js';
import { Host } from './address.js';
import { Badge } from './badge.js';
import { Panel } from './panel.js';
import { Parties } from './parties.js';
import { SearchField } from './search-field.js';
import { Cell, type Column, Table } from './table.js';
import { frozenAt, Nothing, Running, TimeOfDay } from './times.js';
import { Voices } from './voices.js';

const column = {
  call: { title: 'Call' },
  parties: { title: 'Parties' },
  state: { title: 'State' },
  since: { title: 'Since answer', class: 'number' },
  voices: { title: 'Voices → recorder' },
  decision: { title: 'Decision', class: 'extra' },
  recording: { title: 'Recording' },
  actions: { title: 'Actions', class: 'unseen' },
} satisfies Record<string, Column>;

export interface CallsPanelProps {
  readonly operations: Operations;
  readonly words: Signal<string>;
  readonly onOpen: (call: Call) => void;
}

export function CallsPanel({ operations, words, onOpen }: CallsPanelProps): JSX.Element {
  const { value, ...rest } = operations.sections.calls.state.value;
  const { calls, instances = [] } = value ?? {};
  const search = <SearchField label="Search live calls" hint="Tenant, trunk, recorder, state, call id" words={words} />;
  return (
    <Panel
      id="calls"
      title="Live calls"
      state={{ value: calls, ...rest }}
      empty="No calls right now."
      tools={search}
      notes={<Troubles instances={instances} />}
    >
      {(all) => (
        <CallsTable calls={searchCalls(all, words.value)} of={all.length} instances={instances} onOpen={onOpen} />
      )}
    </Panel>
  );
}

/** Instances that do not answer, or are gone. */
function Troubles({ instances }: { readonly instances: readonly Instance[] }): JSX.Element | null {
  const troubled = instances.filter((one) => instanceTrouble(one) !== undefined);
  if (troubled.length === 0) return null;
  return (
    <div class="troubles" role="status">
      {troubled.map((one) => (
        <p key={one.instance}>
          {instanceTrouble(one)}
          {one.since !== undefined && (
            <span class="second">
              since <TimeOfDay time={one.since} />
            </span>
          )}
        </p>
      ))}
    </div>
  );
}

interface CallsTableProps {
  readonly calls: readonly Call[];
  readonly of: number;
  readonly instances: readonly Instance[];
  readonly onOpen: (call: Call) => void;
}

function CallsTable({ calls, of, instances, onOpen }: CallsTableProps): JSX.Element {
  if (calls.length === 0) return <p class="quiet">None of {of} calls is like that.</p>;
  const hidden = calls.length - mostRows;
  return (
    <>
      <Table caption="Live calls, the oldest first" columns={Object.values(column)}>
        {calls.slice(0, mostRows).map((call) => (
          <CallRow key={call.callId} call={call} silentSince={silentSince(call, instances)} onOpen={onOpen} />
        ))}
      </Table>
      {hidden > 0 && <p class="quiet">{hidden} more: search to see them.</p>}
    </>
  );
}

interface CallRowProps {
  readonly call: Call;
  readonly silentSince: string | undefined;
  readonly onOpen: (call: Call) => void;
}

function CallRow({ call, silentSince: since, onOpen }: CallRowProps): JSX.Element {
  const recording = currentRecording(call);
  const isCurrent = call.silent !== true && frozenAt.value === undefined;
  return (
    <tr data-call={call.callId} class={call.silent === true ? 'silent' : undefined}>
      <Cell of={column.call} isHeading>
        {capital(call.direction)}
        <span class="second">
          {call.tenant} · {call.trunk}
        </span>
      </Cell>
      <Cell of={column.parties}>
        <Parties call={call} />
      </Cell>
      <Cell of={column.state}>
        {capital(call.phase)}
        {call.silent === true && (
          <span class="second">
            {call.instance} not answering since <TimeOfDay time={since} />
          </span>
        )}
      </Cell>
      <Cell of={column.since}>
        <Running since={call.answeredAt} />
      </Cell>
      <Cell of={column.voices}>{isCurrent ? <Voices flows={voiceFlows(call)} /> : <Nothing />}</Cell>
      <Cell of={column.decision}>
        {call.decision === undefined ? (
          <Nothing />
        ) : (
          <>
            {call.decision.record ? 'Record' : 'Do not record'}
            <span class="second">{capital(call.decision.reason)}</span>
          </>
        )}
      </Cell>
      <Cell of={column.recording}>
        <Badge {...recordingCondition(call)} />
        {call.missing !== undefined && <span class="second">{capital(call.missing.reason)}</span>}
        {recording !== undefined && recording.recorder !== '' && (
          <span class="second">
            <Host of={recording.recorder} />
          </span>
        )}
      </Cell>
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
