// What the lint is told about a message that the message does not tell itself.
import type { RecorderProfile } from '../recorder-profile.js';

export type RequestKind = 'INVITE' | 're-INVITE' | 'UPDATE' | 'BYE';
/** `answer` = the 2xx of a recorder to an INVITE. */
export type MessageKind = RequestKind | 'answer';

export interface LintOptions {
  /** What the recorder wants; dynamics365 unless told otherwise. */
  readonly profile?: RecorderProfile;
  /** The account id that is expected; any. */
  readonly accountId?: string | undefined;
  /** The last offer of the same session, for RFC 3264 §8. */
  readonly previousOffer?: string | undefined;
  /** The offer that a 2xx answers; without it the answer is judged alone. */
  readonly offer?: string | undefined;
}
