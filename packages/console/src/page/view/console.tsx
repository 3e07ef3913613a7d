/** The console itself: header, everything that is shown, and the call that is open. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Call } from '../api/shapes.js';
import type { Stage } from '../application.js';
import type { Connection, Operations } from '../state/operations.js';
import { CallDialog } from './call-dialog.js';
import { CallsPanel } from './calls-panel.js';
import { RecordersPanel } from './recorders-panel.js';
import { RecordsPanel } from './records-panel.js';
import { RelaysPanel } from './relays-panel.js';
import { Summary } from './summary.js';
import { PoliciesPanel, RegistrationsPanel } from './tenants-panels.js';

export interface ConsoleProps {
  readonly stage: Extract<Stage, { name: 'signed-in' }>;
  readonly onSignOut: () => void;
}

export function Console({ stage: { user, gateway, operations }, onSignOut }: ConsoleProps): JSX.Element {
  const [opened, setOpened] = useState<Call | undefined>();
  const [said, setSaid] = useState('');
  const live = operations.sections.calls.state.value.value?.find(({ callId }) => callId === opened?.callId);
  const shown = live ?? opened;
  const done = (words: string): void => {
    setSaid(words);
    void operations.sections.calls.refresh();
  };
  return (
    <>
      <a class="skip" href="#calls">
        Skip to the live calls
      </a>
      <header class="bar">
        <h1>
          Sidestream <span>operations</span>
        </h1>
        <ConnectionState operations={operations} />
        <p class="user">{user}</p>
        <button type="button" class="small" onClick={onSignOut}>
          Sign out
        </button>
      </header>
      <main>
        <p class="unseen" role="status">
          {said}
        </p>
        <Summary operations={operations} />
        <CallsPanel operations={operations} onOpen={setOpened} />
        <div class="columns">
          <RecordersPanel operations={operations} />
          <RelaysPanel operations={operations} />
          <PoliciesPanel operations={operations} />
          <RegistrationsPanel operations={operations} />
        </div>
        <RecordsPanel operations={operations} />
      </main>
      {shown !== undefined && (
        <CallDialog
          key={shown.callId}
          call={shown}
          hasEnded={live === undefined}
          gateway={gateway}
          onDone={done}
          onClose={() => setOpened(undefined)}
        />
      )}
    </>
  );
}

const connectionWords: Readonly<Record<Connection, { readonly word: string; readonly tone: string }>> = {
  connecting: { word: 'Connecting…', tone: 'idle' },
  live: { word: 'Live', tone: 'good' },
  polling: { word: 'No events: read every 2 s', tone: 'warn' },
  offline: { word: 'Offline: nothing here is current', tone: 'bad' },
  'signed-out': { word: 'Signed out', tone: 'bad' },
  forbidden: { word: 'Not allowed', tone: 'bad' },
};

function ConnectionState({ operations }: { readonly operations: Operations }): JSX.Element {
  const { word, tone } = connectionWords[operations.connection.value];
  return (
    <div class="connection">
      <p class={`badge ${tone}`} role="status">
        {word}
      </p>
      {(tone === 'bad' || tone === 'warn') && (
        <button type="button" class="small" onClick={() => operations.retry()}>
          Try now
        </button>
      )}
    </div>
  );
}
