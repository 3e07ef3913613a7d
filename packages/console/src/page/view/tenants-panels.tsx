/** What each tenant's recordings hang on: its policy, its registration, its certificate. */
import type { JSX } from 'preact';
import { certificateCondition, policyCondition, registrationCondition } from '../state/conditions.js';
import type { Operations } from '../state/operations.js';
import { Badge } from './badge.js';
import { Panel } from './panel.js';
import { Cell, type Column, Table } from './table.js';
import { Age, Nothing, now } from './times.js';

const policyColumn = {
  tenant: { title: 'Tenant' },
  state: { title: 'State' },
  revision: { title: 'Revision' },
  confirmed: { title: 'Confirmed', class: 'number' },
  sellers: { title: 'Sellers', class: 'number' },
} satisfies Record<string, Column>;

export function PoliciesPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel
      id="policies"
      title="Policies"
      state={operations.sections.policies.state.value}
      empty="No tenant is configured."
    >
      {(policies) => (
        <Table caption="Recording policy of each tenant" columns={Object.values(policyColumn)}>
          {policies.map((policy) => (
            <tr key={policy.tenant}>
              <Cell of={policyColumn.tenant} isHeading>
                {policy.tenant}
              </Cell>
              <Cell of={policyColumn.state}>
                <Badge {...policyCondition(policy)} />
                {policy.lastError && <span class="second">{policy.lastError}</span>}
              </Cell>
              <Cell of={policyColumn.revision}>
                {policy.revision === '' ? <Nothing /> : <code>{policy.revision}</code>}
              </Cell>
              <Cell of={policyColumn.confirmed}>
                <Age time={policy.checkedAt ?? policy.fetchedAt} />
              </Cell>
              <Cell of={policyColumn.sellers}>{policy.users}</Cell>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

const registrationColumn = {
  tenant: { title: 'Tenant' },
  registration: { title: 'Registration' },
  certificate: { title: 'Certificate' },
  applied: { title: 'Applied', class: 'number' },
} satisfies Record<string, Column>;

export function RegistrationsPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel
      id="registrations"
      title="Registrations"
      state={operations.sections.registrations.state.value}
      empty="No tenant is registered with the provider."
    >
      {(registrations) => (
        <Table caption="Registration and certificate of each tenant" columns={Object.values(registrationColumn)}>
          {registrations.map((registration) => {
            const certificate = certificateCondition(registration, now.value);
            const { tenant, lastError, warnings = [], certificateSubject, appliedAt } = registration;
            return (
              <tr key={tenant}>
                <Cell of={registrationColumn.tenant} isHeading>
                  {tenant}
                </Cell>
                <Cell of={registrationColumn.registration}>
                  <Badge {...registrationCondition(registration)} />
                  {[lastError, ...warnings.map(({ text }) => text)].filter(Boolean).map((text) => (
                    <span key={text} class="second">
                      {text}
                    </span>
                  ))}
                </Cell>
                <Cell of={registrationColumn.certificate}>
                  {certificate === undefined ? <Nothing /> : <Badge {...certificate} />}
                  {certificateSubject && <span class="second">{certificateSubject}</span>}
                </Cell>
                <Cell of={registrationColumn.applied}>
                  <Age time={appliedAt} />
                </Cell>
              </tr>
            );
          })}
        </Table>
      )}
    </Panel>
  );
}
