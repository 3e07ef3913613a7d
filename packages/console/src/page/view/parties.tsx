import type { JSX } from 'preact';
import type { Call, CallRecord, Party } from '../api/shapes.js';
import { Address } from './address.js';

/** Caller and callee, as the gateway gave them. */
export function Parties({ call }: { readonly call: Call | CallRecord }): JSX.Element {
  return (
    <span class="parties">
      <PartyName party={call.calling} />
      <span class="quiet" aria-hidden="true">
        →
      </span>
      <span class="unseen">calls</span>
      <PartyName party={call.called} />
    </span>
  );
}

/** The name with the number, or what there is of it. */
export function PartyName({ party }: { readonly party: Party | undefined }): JSX.Element {
  if (party === undefined) return <span class="quiet">unknown</span>;
  const { uri, name } = party;
  const address = uri.replace(/^(sips?|tel):/, '');
  return (
    <span>
      {name && <>{name} </>}
      <span class={name ? 'quiet number' : 'number'}>{address ? <Address text={address} /> : 'unknown'}</span>
    </span>
  );
}
