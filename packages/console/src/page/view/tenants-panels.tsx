/** What each tenant's recordings hang on: its policy, its registration, its certificate. */
import type { JSX } from 'preact';
import { certificateCondition, policyCondition, registrationCondition } from '../state/conditions.js';
import type { Operations } from '../state/operations.js';
import { Badge } from './badge.js';
import { type Column, Panel, Table } from './panel.js';
import { Age, Nothing, now } from './times.js';

const policyColumns: readonly Column[] = [
  { title: 'Tenant' },
  { title: 'State' },
  { title: 'Revision', class: 'extra' },
  { title: 'Confirmed', class: 'number' },
  { title: 'Sellers', class: 'number' },
];

export function PoliciesPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel id="policies" title="Policies" section={operations.sections.policies} empty="No tenant is configured.">
      {(policies) => (
        <Table caption="Recording policy of each tenant" columns={policyColumns}>
          {policies.map((policy) => (
            <tr key={policy.tenant}>
              <th scope="row">{policy.tenant}</th>
              <td>
                <Badge {...policyCondition(policy)} />
                {policy.lastError && <span class="second">{policy.lastError}</span>}
              </td>
              <td class="extra">{policy.revision === '' ? <Nothing /> : <code>{policy.revision}</code>}</td>
              <td class="number">
                <Age time={policy.checkedAt} />
              </td>
              <td class="number">{policy.source === 'file' ? <Nothing /> : policy.users}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

const registrationColumns: readonly Column[] = [
  { title: 'Tenant' },
  { title: 'Registration' },
  { title: 'Certificate' },
  { title: 'Applied', class: 'number' },
];

export function RegistrationsPanel({ operations }: { readonly operations: Operations }): JSX.Element {
  return (
    <Panel
      id="registrations"
      title="Registrations"
      section={operations.sections.registrations}
      empty="No tenant is registered with the provider."
    >
      {(registrations) => (
        <Table caption="Registration and certificate of each tenant" columns={registrationColumns}>
          {registrations.map((registration) => {
            const certificate = certificateCondition(registration, now.value);
            const { tenant, lastError, warnings = [], certificateSubject, appliedAt } = registration;
            return (
              <tr key={tenant}>
                <th scope="row">{tenant}</th>
                <td>
                  <Badge {...registrationCondition(registration)} />
                  {[lastError, ...warnings.map(({ text }) => text)].filter(Boolean).map((text) => (
                    <span key={text} class="second">
                      {text}
                    </span>
                  ))}
                </td>
                <td>
                  {certificate === undefined ? <Nothing /> : <Badge {...certificate} />}
                  {certificateSubject && <span class="second">{certificateSubject}</span>}
                </td>
                <td class="number">
                  <Age time={appliedAt} />
                </td>
              </tr>
            );
          })}
        </Table>
      )}
    </Panel>
  );
}
