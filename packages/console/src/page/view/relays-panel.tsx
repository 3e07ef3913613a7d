/** The media relays and their load. */
import type { JSX } from 'preact';
import type { Relay } from '../api/shapes.js';
import { relayCondition } from '../state/conditions.js';
import type { Operations } from '../state/operations.js';
import { Badge } from './badge.js';
import { Panel } from './panel.js';
import { Cell, type Column, Table } from './table.js';

const column = {
  relay: { title: 'Relay' },
  region: { title: 'Region' },
  state: { title: 'State' },
  load: { title: 'Load', class: 'number' },
} satisfies Record<string, Column>;

export function RelaysPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel
      id="relays"
      title="Media relays"
      state={operations.sections.relays.state.value}
      empty="No relay is there: calls can’t be anchored."
    >
      {(relays) => (
        <Table caption="Media relays and their load" columns={Object.values(column)}>
          {relays.map((relay) => (
            <tr key={relay.relay}>
              <Cell of={column.relay} isHeading>
                {relay.relay}
                <span class="second">{relay.address}</span>
              </Cell>
              <Cell of={column.region}>{relay.region}</Cell>
              <Cell of={column.state}>
                <Badge {...relayCondition(relay)} />
              </Cell>
              <Cell of={column.load}>
                <Load relay={relay} />
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Load({ relay: { relay, sessions, capacity } }: { readonly relay: Relay }): JSX.Element {
  if (!capacity) return <>{sessions}</>;
  return (
    <>
      {sessions} of {capacity}
      <meter
        aria-label={`Load of ${relay}`}
        min={0}
        max={capacity}
        low={capacity * 0.7}
        high={capacity * 0.9}
        optimum={0}
        value={sessions}
      />
    </>
  );
}
