/** The console itself: header, everything that is shown, and the call that is open. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Call } from '../api/shapes.js';
import type { Stage } from '../application.js';
import { fateOf } from '../state/fate.js';
import { silentSince } from '../state/instances.js';
import type { Connection, Operations } from '../state/operations.js';
import type { ViewMemory } from '../state/view-memory.js';
import { Banner } from './banner.js';
import { CallDialog } from './call-dialog.js';
import { CallsPanel } from './calls-panel.js';
import { RecordersPanel } from './recorders-panel.js';
import { RecordsPanel } from './records-panel.js';
import { RelaysPanel } from './relays-panel.js';
import { SessionPrompt } from './session-prompt.js';
import { Summary } from './summary.js';
import { PoliciesPanel, RegistrationsPanel } from './tenants-panels.js';
import { frozenAt } from './times.js';

export interface ConsoleProps {
  readonly stage: Extract<Stage, { name: 'signed-in' }>;
  readonly memory: ViewMemory;
  readonly signInFault: string | undefined;
  readonly onSignIn: () => void;
  readonly onSignOut: () => void;
}

export function Console({ stage, memory, signInFault, onSignIn, onSignOut }: ConsoleProps): JSX.Element {
  const { user, operations } = stage;
  const [said, setSaid] = useState('');
  useSignalEffect(() => {
    frozenAt.value = operations.staleSince.value;
  });
  const open = (call: Call | undefined): void => {
    memory.openedCall.value = call?.callId;
  };
  const done = (words: string): void => {
    setSaid(words);
    void operations.sections.calls.refresh();
  };
  const isSignedOut = operations.connection.value === 'signed-out';
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
      <Banner operations={operations} onSignIn={onSignIn} />
      <main>
        <p class="unseen" role="status">
          {said}
        </p>
        <Summary operations={operations} />
        <CallsPanel operations={operations} words={memory.callWords} onOpen={open} />
        <div class="columns">
          <RecordersPanel operations={operations} />
          <RelaysPanel operations={operations} />
          <PoliciesPanel operations={operations} />
          <RegistrationsPanel operations={operations} />
        </div>
        <RecordsPanel operations={operations} words={memory.recordWords} />
      </main>
      <OpenedCall stage={stage} memory={memory} onDone={done} />
      {isSignedOut && <SessionPrompt fault={signInFault} onSignIn={onSignIn} />}
    </>
  );
}

interface OpenedCallProps extends Pick<ConsoleProps, 'stage' | 'memory'> {
  readonly onDone: (words: string) => void;
}

/** The call that is open, live or as it was last seen. One of which nothing is known any more is closed. */
function OpenedCall({ stage: { gateway, operations }, memory, onDone }: OpenedCallProps): JSX.Element | null {
  const { value: callId } = memory.openedCall;
  const { value: answer } = operations.sections.calls.state.value;
  const lastSeen = useRef<Call | undefined>(undefined);
  const isThis = (call: Pick<Call, 'callId'>): boolean => call.callId === callId;
  const last = lastSeen.current?.callId === callId ? lastSeen.current : undefined;
  const shown = answer?.calls.find(isThis) ?? last ?? answer?.lost.find(isThis);
  const record = operations.sections.records.state.value.value?.find(isThis);
  lastSeen.current = shown;
  const close = (): void => {
    memory.openedCall.value = undefined;
  };
  useEffect(() => {
    if (answer !== undefined && shown === undefined && callId !== undefined) close();
  });
  if (callId === undefined || answer === undefined || shown === undefined) return null;
  const fate = fateOf(shown, answer, record);
  return (
    <CallDialog
      key={callId}
      call={shown}
      fate={fate}
      record={fate === 'live' ? undefined : record}
      silentSince={silentSince(shown, answer.instances)}
      operations={operations}
      gateway={gateway}
      onDone={onDone}
      onClose={close}
    />
  );
}

const connectionWords: Readonly<Record<Connection, { readonly word: string; readonly tone: string }>> = {
  connecting: { word: 'Connecting…', tone: 'idle' },
  live: { word: 'Live', tone: 'good' },
  polling: { word: 'No events: read every 2 s', tone: 'warn' },
  unavailable: { word: 'Not current', tone: 'bad' },
  offline: { word: 'Offline', tone: 'bad' },
  'signed-out': { word: 'Signed out', tone: 'bad' },
  forbidden: { word: 'Not allowed', tone: 'bad' },
};

function ConnectionState({ operations }: { readonly operations: Operations }): JSX.Element {
  const { word, tone } = connectionWords[operations.connection.value];
  return (
    <p class={`badge ${tone}`} role="status">
      {word}
    </p>
  );
}
