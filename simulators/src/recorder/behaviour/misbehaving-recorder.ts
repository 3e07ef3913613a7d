/** For the tests of behaviours: one recorder that behaves so, and one client that meets it. Not part of the door. */
import type { TestContext } from 'node:test';
import { eventually } from '@sidestream/peers';
import type { IncomingInvite, SipError } from '@sidestream/sip';
import type { RecorderSimulator } from '../recorder-simulator.js';
import { RecordingClient, withRecorder } from '../recording-client-fixture.js';
import type { Behaviour } from './behaviour.js';

export const TIMEOUT = { timeout: 20_000 };

/** Runs `body` with a client of a recorder that behaves so. */
export async function meet(
  t: TestContext,
  behaviour: Behaviour,
  body: (src: RecordingClient, recorder: RecorderSimulator) => Promise<void>,
): Promise<void> {
  await withRecorder({ behaviour }, async (recorder, { tenant }) => {
    const src = await RecordingClient.create(recorder, tenant);
    t.after(() => src.close());
    await body(src, recorder);
  });
}

/** The answer of a recorder that behaves so. */
export async function answerTo(t: TestContext, behaviour: Behaviour): Promise<{ sdp: string; contentType: string }> {
  const seen = { sdp: '', contentType: '' };
  await meet(t, behaviour, async (src) => {
    await src.invite();
    seen.sdp = String(src.session?.response.body);
    seen.contentType = src.session?.response.headers.get('Content-Type') ?? '';
  });
  return seen;
}

/** Waits until no session is open. */
export function gone(recorder: RecorderSimulator): Promise<void> {
  return eventually(() => recorder.active === 0, 'no session is open');
}

/** The error that an INVITE ends with. */
export async function refusal(src: RecordingClient): Promise<SipError> {
  return src.invite().then(
    () => {
      throw new Error('the recorder accepted');
    },
    (error: SipError) => error,
  );
}

/** Answers each re-INVITE of the recorder with the client's own side, and keeps what came. */
export function answering(src: RecordingClient): IncomingInvite[] {
  const came: IncomingInvite[] = [];
  src.session?.dialog.on('reinvite', (invite) => {
    came.push(invite);
    invite.accept({ contentType: 'application/sdp', body: src.sdp() });
  });
  return came;
}
