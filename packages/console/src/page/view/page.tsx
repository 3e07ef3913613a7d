/** Which page is shown. */
import type { JSX } from 'preact';
import type { Application } from '../application.js';
import { Console } from './console.js';
import { Notice } from './notice.js';

export function Page({ application }: { readonly application: Application }): JSX.Element {
  const { value: stage } = application.stage;
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
          text={stage.text ?? 'Live calls, recordings and what they depend on. For operators only.'}
          isError={stage.text !== undefined}
          action={signIn}
        />
      );
    case 'signed-in':
      switch (stage.operations.connection.value) {
        case 'signed-out':
          return (
            <Notice
              title="Your session has ended"
              text="Sign in again to go on. Calls and recordings are not affected."
              action={signIn}
            />
          );
        case 'forbidden':
          return (
            <Notice
              title="Not an operator"
              text={`${stage.user} is signed in, but has no role that opens the console. Ask for the operator’s role, or sign in as somebody else.`}
              action={{ label: 'Sign out', onPress: () => application.signOut() }}
            />
          );
        default:
          return <Console stage={stage} onSignOut={() => application.signOut()} />;
      }
    default:
      return stage satisfies never;
  }
}
