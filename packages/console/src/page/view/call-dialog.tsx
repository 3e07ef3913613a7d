/** All that is known of one call, and what can be done to it. Its parties are unmasked for as long as this is open, and only if asked for. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { asApiError } from '../api/api-error.js';
import type { Gateway } from '../api/gateway.js';
import type { Call, CallRecord } from '../api/shapes.js';
import { type Action, actionsFor } from '../state/actions.js';
import { capital, recordingCondition, verdictCondition } from '../state/conditions.js';
import type { Fate } from '../state/fate.js';
import type { Operations } from '../state/operations.js';
import { voiceFlows } from '../state/voices.js';
import { Badge } from './badge.js';
import { Staleness } from './banner.js';
import { Confirmation } from './confirmation.js';
import { Dialog } from './dialog.js';
import { PartyName } from './parties.js';
import { RecordingList } from './recording-list.js';
import { Nothing, Running, TimeOfDay } from './times.js';
import { Voices } from './voices.js';
import { useWatchedCall } from './watched-call.js';

export interface CallDialogProps {
  readonly call: Call;
  /** Of one that is not live what is shown is how it was last seen. */
  readonly fate: Fate;
  /** What is known of it after its end; undefined before that, and until its record is read. */
  readonly record: CallRecord | undefined;
  /** Since when its instance does not answer. */
  readonly silentSince: string | undefined;
  readonly operations: Operations;
  readonly gateway: Gateway;
  readonly onDone: (words: string) => void;
  readonly onClose: () => void;
}

export function CallDialog(props: CallDialogProps): JSX.Element {
  const { call: listed, fate, record, silentSince, operations, gateway, onDone, onClose } = props;
  const [asked, setAsked] = useState<Action | undefined>();
  const isStale = operations.staleSince.value !== undefined;
  const isCurrent = fate === 'live' && silentSince === undefined && !isStale;
  const call = useWatchedCall(gateway, listed, isCurrent);
  return (
    <Dialog id="call" title={`${capital(call.direction)} call of ${call.tenant}`} onClose={onClose}>
      <Reservation {...props} />
      <dl class="facts">
        <PartyFacts call={call} gateway={fate === 'live' ? gateway : undefined} />
        <Fact title="State">{stateOf(call, fate)}</Fact>
        <Fact title="Began">
          <TimeOfDay time={call.startedAt} />
        </Fact>
        <Fact title="Since answer">{fate === 'live' ? <Running since={call.answeredAt} /> : <Nothing />}</Fact>
        <Fact title="Recording">
          <Badge {...(fate === 'live' ? recordingCondition(call) : verdictCondition(record ?? {}))} />
          {fate === 'live' && call.missing !== undefined && (
            <span class="second">
              {capital(call.missing.reason)} since <TimeOfDay time={call.missing.since} />
            </span>
          )}
        </Fact>
        <Fact title="Voices, packets per second">{isCurrent ? <Voices flows={voiceFlows(call)} /> : <Nothing />}</Fact>
        <DecisionFact call={call} />
        <Fact title="Seller">{call.seller || <Nothing />}</Fact>
        <Fact title="Trunk">{call.trunk}</Fact>
        <Fact title="Instance">
          <code>{call.instance}</code>
        </Fact>
        <Fact title="Call id">
          <code>{call.callId}</code>
        </Fact>
      </dl>
      <RecordingList call={call} isCurrent={isCurrent} />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
        {isCurrent &&
          actionsFor(call).map((action) => (
            <button
              key={action.name}
              type="button"
              class={action.isDestructive ? 'danger' : undefined}
              onClick={() => setAsked(action)}
            >
              {action.label}
            </button>
          ))}
      </div>
      {asked !== undefined && (
        <Confirmation
          action={asked}
          call={call}
          gateway={gateway}
          onDone={onDone}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Dialog>
  );
}

/** Why what is shown may not be how it is. */
function Reservation({ call, fate, record, silentSince, operations }: CallDialogProps): JSX.Element | null {
  if (operations.staleSince.value !== undefined)
    return (
      <p class="reservation">
        <Staleness operations={operations} />
      </p>
    );
  if (fate === 'live' && silentSince === undefined) return null;
  return (
    <p class="reservation" role="status">
      {fate === 'over' && 'This call has ended. It is shown as it was last seen. '}
      {record?.termination !== undefined && `It ended by ${record.termination.reason}.`}
      {fate === 'lost' && `Instance ${call.instance} is gone, and this call with it: how it ended is not known.`}
      {fate === 'unknown' && (
        <>
          Instance {call.instance} does not answer, and whether this call goes on is not known. It is shown as it was
          last seen, and nothing can be done to it from here.
        </>
      )}
      {fate === 'live' && (
        <>
          Instance {call.instance} has not answered since <TimeOfDay time={silentSince} />. The call is shown as last
          known; it may well go on, and nothing can be done to it from here.
        </>
      )}
    </p>
  );
}

function stateOf({ phase }: Call, fate: Fate): string {
  if (fate === 'unknown') return 'Not known';
  return capital(fate === 'live' ? phase : fate);
}

interface PartyFactsProps {
  readonly call: Call;
  /** Who can unmask them; undefined where nobody can any more. */
  readonly gateway: Gateway | undefined;
}

function PartyFacts({ call, gateway }: PartyFactsProps): JSX.Element {
  const [revealed, setRevealed] = useState<Call | undefined>();
  const [fault, setFault] = useState('');
  const reveal = async (): Promise<void> => {
    try {
      setRevealed(await gateway?.reveal(call.callId));
      setFault('');
    } catch (cause) {
      setFault(asApiError(cause).message);
    }
  };
  // After a transfer they are others, whom nobody has asked to see.
  useEffect(() => setRevealed(undefined), [call.calling?.uri, call.called?.uri, call.seller]);
  const { calling, called } = revealed ?? call;
  return (
    <>
      <Fact title="Calling">
        <PartyName party={calling} />
      </Fact>
      <Fact title="Called">
        <PartyName party={called} />
      </Fact>
      {(gateway !== undefined || revealed !== undefined) && (
        <Fact title="Parties">
          <button
            type="button"
            class="small"
            aria-pressed={revealed !== undefined}
            onClick={() => (revealed === undefined ? void reveal() : setRevealed(undefined))}
          >
            {revealed === undefined ? 'Show in full' : 'Mask again'}
          </button>
          {fault !== '' && (
            <span class="fault" role="alert">
              {fault}
            </span>
          )}
        </Fact>
      )}
    </>
  );
}

function DecisionFact({ call: { decision } }: { readonly call: Call }): JSX.Element {
  if (decision === undefined)
    return (
      <Fact title="Decision">
        <Nothing />
      </Fact>
    );
  return (
    <Fact title="Decision">
      {decision.record ? 'Record' : 'Do not record'}: {capital(decision.reason).toLowerCase()}
      {decision.policyRevision !== '' && (
        <span class="second">
          policy <code>{decision.policyRevision}</code>
        </span>
      )}
    </Fact>
  );
}

function Fact({ title, children }: { readonly title: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}
