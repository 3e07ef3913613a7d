// What the lint is told about a message that the message does not tell itself.
import type { RecorderProfile } from '../recorder-profile.js';

export type RequestKind = 'INVITE' | 're-INVITE' | 'UPDATE' | 'BYE';

export interface LintOptions {
  /** What the recorder wants; dynamics365 unless told otherwise. */
  readonly profile?: RecorderProfile;
  /** The account id that is expected; any. */
  readonly accountId?: string | undefined;
  /** The last offer of the same session, for RFC 3264 §8. */
  readonly previousOffer?: string | undefined;
}
