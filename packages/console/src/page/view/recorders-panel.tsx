/** The recorders' health, region by region. */
import type { JSX } from 'preact';
import type { Recorder } from '../api/shapes.js';
import { recorderCondition } from '../state/conditions.js';
import type { Operations } from '../state/operations.js';
import { Address } from './address.js';
import { Badge } from './badge.js';
import { Panel } from './panel.js';
import { Cell, type Column, Table } from './table.js';
import { Nothing } from './times.js';

const column = {
  region: { title: 'Region' },
  recorder: { title: 'Recorder' },
  health: { title: 'Health' },
  recordings: { title: 'Recordings', class: 'number' },
} satisfies Record<string, Column>;

export function RecordersPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel
      id="recorders"
      title="Recorders"
      state={operations.sections.recorders.state.value}
      empty="No recorder is configured, or none has been asked yet."
    >
      {(recorders) => (
        <Table caption="Recorders by region" columns={Object.values(column)}>
          {[...recorders].sort(byRegion).map((recorder) => (
            <tr key={`${recorder.region}/${recorder.recorder}/${recorder.tenant}/${recorder.instance}`}>
              <Cell of={column.region} isHeading>
                {recorder.region || <Nothing />}
              </Cell>
              <Cell of={column.recorder}>
                <Address text={recorder.recorder} />
                <span class="second">
                  {recorder.tenant}, as {recorder.instance} finds it
                </span>
              </Cell>
              <Cell of={column.health}>
                <Badge {...recorderCondition(recorder)} />
                {recorder.reason && <span class="second">{recorder.reason}</span>}
              </Cell>
              <Cell of={column.recordings}>{recorder.recordings ?? <Nothing />}</Cell>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

function byRegion(one: Recorder, other: Recorder): number {
  const key = ({ region, recorder, tenant }: Recorder): string => [region, recorder, tenant].join('\n');
  return key(one).localeCompare(key(other), 'en');
}
