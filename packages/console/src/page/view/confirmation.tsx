/** Asks before something is done to a call, does it, and says what went wrong. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { asApiError } from '../api/api-error.js';
import type { Gateway } from '../api/gateway.js';
import type { Call } from '../api/shapes.js';
import type { Action } from '../state/actions.js';
import { Dialog } from './dialog.js';

/** As long as a reason may be in the API. */
const longestReason = 100;

export interface ConfirmationProps {
  readonly action: Action;
  readonly call: Call;
  readonly gateway: Gateway;
  readonly onDone: (words: string) => void;
  readonly onClose: () => void;
}

export function Confirmation({ action, call, gateway, onDone, onClose }: ConfirmationProps): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const [reason, setReason] = useState('ended by an operator');
  const confirm = async (): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    setFault('');
    try {
      if (action.name === 'end') await gateway.end(call.callId, reason.trim());
      else await gateway.record(call.callId, action.name);
      onDone(action.done);
      onClose();
    } catch (cause) {
      setFault(asApiError(cause).message);
      setBusy(false);
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void confirm();
  };
  return (
    <Dialog id="confirmation" title={action.question} isAlert onClose={onClose}>
      <form onSubmit={submit} aria-busy={isBusy}>
        <p>{action.consequence}</p>
        {action.name === 'end' && (
          <label class="field">
            Reason, for both sides and the record
            <input
              required
              maxLength={longestReason}
              value={reason}
              onInput={({ currentTarget }) => setReason(currentTarget.value)}
            />
          </label>
        )}
        {fault !== '' && (
          <p class="fault" role="alert">
            {fault}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={action.isDestructive ? 'danger' : 'primary'} aria-disabled={isBusy}>
            {isBusy ? 'One moment…' : action.label}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
