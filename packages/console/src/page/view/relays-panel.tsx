/** The media relays and their load. */
import type { JSX } from 'preact';
import type { Relay } from '../api/shapes.js';
import { relayCondition } from '../state/conditions.js';
import type { Operations } from '../state/operations.js';
import { Badge } from './badge.js';
import { type Column, Panel, Table } from './panel.js';

const columns: readonly Column[] = [
  { title: 'Relay' },
  { title: 'Region' },
  { title: 'State' },
  { title: 'Load', class: 'number' },
];

export function RelaysPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel
      id="relays"
      title="Media relays"
      section={operations.sections.relays}
      empty="No relay is there: calls can’t be anchored."
    >
      {(relays) => (
        <Table caption="Media relays and their load" columns={columns}>
          {relays.map((relay) => (
            <tr key={relay.relay}>
              <th scope="row">
                {relay.relay}
                <span class="second">{relay.address}</span>
              </th>
              <td>{relay.region}</td>
              <td>
                <Badge {...relayCondition(relay)} />
              </td>
              <td class="number">
                <Load relay={relay} />
              </td>
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
