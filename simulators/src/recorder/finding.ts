/** What the recorder found wrong, each under a name that a test or a script can look for. */
import type { LintFinding, LintFindingName } from '@sidestream/siprec';

/** Names of findings about media, which no message shows. */
export type MediaFindingName =
  | 'media-authentication'
  | 'media-in-clear'
  | 'media-not-rtp'
  | 'media-payload-type'
  | 'media-rtcp-on-rtp-port';

/** Names of findings: the lint's for messages, the recorder's own for media. */
export type FindingName = LintFindingName | MediaFindingName;

/** One deviation from the profile or an RFC. The text is one sentence for people; it never holds a key. */
export interface Finding extends Partial<Pick<LintFinding, 'severity' | 'clause' | 'place' | 'cure'>> {
  name: FindingName;
  /** The message or medium it was found in: `INVITE`, `re-INVITE`, `BYE`, `inbound` … */
  where: string;
  text: string;
}

/** Takes findings of one medium. */
export type Report = (name: MediaFindingName, text: string) => void;
