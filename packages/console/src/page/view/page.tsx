/** Which page is shown. */
import type { JSX } from 'preact';
import type { Application, Stage } from '../application.js';
import { Console } from './console.js';
import { Notice, type NoticeProps } from './notice.js';

export function Page({ application }: { readonly application: Application }): JSX.Element {
  const { value: stage } = application.stage;
  const { value: fault } = application.signInFault;
  const signIn = { label: 'Sign in', onPress: () => void application.signIn() };
  switch (stage.name) {
    case 'loading':
      return <Notice title="Sidestream" text="Loading…" isBusy />;
    case 'failed':
      return (
        <Notice
          title="The console can’t start"
          text={stage.text}
          action={{ label: 'Try again', onPress: () => globalThis.location.reload() }}
        />
      );
    case 'signed-out':
      return (
        <Notice
          title="Sidestream operations"
          text={fault ?? stage.text ?? 'Live calls, recordings and what they depend on. For operators only.'}
          isError={(fault ?? stage.text) !== undefined}
          action={signIn}
        />
      );
    case 'signed-in':
      return <SignedIn application={application} stage={stage} signIn={signIn} />;
    default:
      return stage satisfies never;
  }
}

interface SignedInProps {
  readonly application: Application;
  readonly stage: Extract<Stage, { name: 'signed-in' }>;
  readonly signIn: NonNullable<NoticeProps['action']>;
}

function SignedIn({ application, stage, signIn }: SignedInProps): JSX.Element {
  const { connection, sections } = stage.operations;
  const { value: fault } = application.signInFault;
  if (connection.value === 'forbidden')
    return (
      <Notice
        title="Not an operator"
        text={`${stage.user} is signed in, but has no role that opens the console. Ask for the operator’s role, or sign in as somebody else.`}
        action={{ label: 'Sign out', onPress: () => application.signOut() }}
      />
    );
  // There is no view yet that could be kept.
  if (connection.value === 'signed-out' && sections.calls.state.value.value === undefined)
    return (
      <Notice
        title="Your session has ended"
        text={fault ?? 'Sign in again to go on. Calls and recordings are not affected.'}
        isError={fault !== undefined}
        action={signIn}
      />
    );
  return (
    <Console
      stage={stage}
      memory={application.memory}
      signInFault={fault}
      onSignIn={signIn.onPress}
      onSignOut={() => application.signOut()}
    />
  );
}
