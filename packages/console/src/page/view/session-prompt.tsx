/** The session has ended under a page that somebody looks at: they may go on looking, or sign in and have the same view again. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.js';

export interface SessionPromptProps {
  /** Why the issuer's page can't be gone to. */
  readonly fault: string | undefined;
  readonly onSignIn: () => void;
}

export function SessionPrompt({ fault, onSignIn }: SessionPromptProps): JSX.Element | null {
  const [isOpen, setOpen] = useState(true);
  if (!isOpen) return null;
  return (
    <Dialog id="session" title="Your session has ended" isAlert onClose={() => setOpen(false)}>
      <p>
        Sign in again to go on where you were. Until then nothing here is current; calls and recordings are not
        affected.
      </p>
      {fault !== undefined && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={() => setOpen(false)}>
          Keep looking
        </button>
        <button type="button" class="primary" onClick={onSignIn}>
          Sign in again
        </button>
      </div>
    </Dialog>
  );
}
