/** The recorders' health, region by region. */
import type { JSX } from 'preact';
import type { Recorder } from '../api/shapes.js';
import { recorderCondition } from '../state/conditions.js';
import type { Operations } from '../state/operations.js';
import { Badge } from './badge.js';
import { type Column, Panel, Table } from './panel.js';
import { Nothing } from './times.js';

const columns: readonly Column[] = [
  { title: 'Region' },
  { title: 'Recorder' },
  { title: 'Health' },
  { title: 'Recordings', class: 'number' },
];

export function RecordersPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel
      id="recorders"
      title="Recorders"
      section={operations.sections.recorders}
      empty="No recorder is configured, or none has been asked yet."
    >
      {(recorders) => (
        <Table caption="Recorders by region" columns={columns}>
          {[...recorders].sort(byRegion).map((recorder) => (
            <tr key={`${recorder.region}/${recorder.recorder}/${recorder.tenant}/${recorder.instance}`}>
              <th scope="row">{recorder.region || <Nothing />}</th>
              <td>
                {recorder.recorder}
                <span class="second">
                  {recorder.tenant}, as {recorder.instance} finds it
                </span>
              </td>
              <td>
                <Badge {...recorderCondition(recorder)} />
                {recorder.reason && <span class="second">{recorder.reason}</span>}
              </td>
              <td class="number">{recorder.recordings ?? <Nothing />}</td>
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
