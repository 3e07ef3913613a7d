/** What the recorder found wrong, each under a name that a test or a script can look for. */

/** Names of findings, by what they are about. */
export type FindingName =
  | 'malformed-message'
  | 'request-uri'
  | 'call-id'
  | 'require-siprec'
  | 'contact-sip-src'
  | 'account-id'
  | 'body-type'
  | 'boundary-not-quoted'
  | 'sdp-missing'
  | 'sdp-version'
  | 'metadata-missing'
  | 'metadata-type'
  | 'metadata-disposition'
  | 'metadata-malformed'
  | 'metadata-labels'
  | 'metadata-parameters'
  | 'metadata-datamode'
  | 'metadata-stop-time'
  | 'stream-count'
  | 'stream-protocol'
  | 'stream-label'
  | 'stream-direction'
  | 'stream-codecs'
  | 'stream-crypto'
  | 'stream-key-reused'
  | 'stream-rtcp-mux'
  | 'stream-ptime'
  | 'media-authentication'
  | 'media-not-rtp'
  | 'media-payload-type'
  | 'media-rtcp-on-rtp-port';

/** One deviation from the profile or an RFC. The text is one sentence for people; it never holds a key. */
export interface Finding {
  name: FindingName;
  /** The message or medium it was found in: `INVITE`, `re-INVITE`, `BYE`, `inbound` … */
  where: string;
  text: string;
}

/** Takes findings of one place. */
export type Report = (name: FindingName, text: string) => void;
