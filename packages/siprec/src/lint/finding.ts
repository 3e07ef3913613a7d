// What the lint has against a message: each finding under a stable name, with its clause, place and cure. No text ever holds a key.

/** An error breaks a MUST or a profile; a warning is what a standard advises against or what some recorders trip over. */
export type Severity = 'error' | 'warning';

/** Names of findings, by what they are about. */
export type LintFindingName =
  | 'not-readable'
  | 'malformed-message'
  | 'line-ends'
  | 'header-missing'
  | 'header-repeated'
  | 'header-malformed'
  | 'content-length'
  | 'request-uri'
  | 'uri-transport'
  | 'call-id'
  | 'require-siprec'
  | 'supported-siprec'
  | 'contact-sip-src'
  | 'contact-sip-srs'
  | 'contact-scheme'
  | 'account-id'
  | 'accept-metadata'
  | 'allow-update'
  | 'session-timer'
  | 'body-type'
  | 'boundary-not-quoted'
  | 'multipart-malformed'
  | 'part-repeated'
  | 'part-encoding'
  | 'part-handling'
  | 'part-length'
  | 'answer-refused'
  | 'sdp-missing'
  | 'sdp-malformed'
  | 'sdp-version'
  | 'stream-count'
  | 'stream-protocol'
  | 'stream-label'
  | 'stream-direction'
  | 'stream-address'
  | 'stream-codecs'
  | 'stream-crypto'
  | 'stream-key-reused'
  | 'stream-rtcp-mux'
  | 'stream-ptime'
  | 'metadata-missing'
  | 'metadata-type'
  | 'metadata-disposition'
  | 'metadata-encoding'
  | 'metadata-malformed'
  | 'metadata-namespace'
  | 'metadata-element-unknown'
  | 'metadata-element-order'
  | 'metadata-element-repeated'
  | 'metadata-element-missing'
  | 'metadata-attribute-unknown'
  | 'metadata-attribute-missing'
  | 'metadata-text'
  | 'metadata-value'
  | 'metadata-id'
  | 'metadata-id-duplicate'
  | 'metadata-reference'
  | 'metadata-time'
  | 'metadata-aor'
  | 'metadata-associations'
  | 'metadata-labels'
  | 'metadata-parameters'
  | 'metadata-datamode'
  | 'metadata-stop-time';

/** Where in the text: both count from 1, columns in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Place extends Partial<Position> {
  /** `header Require`, `m-line 2 a=label`, `/recording/session[1]/start-time`. */
  readonly path: string;
}

export interface LintFinding {
  readonly severity: Severity;
  readonly name: LintFindingName;
  /** The clause that says so, such as `RFC 7866 §9.1`, or the profile. */
  readonly clause: string;
  readonly place: Place;
  /** What is wrong, in one sentence. */
  readonly text: string;
  /** What to do about it. */
  readonly cure: string;
}

/** Takes a finding; an error unless it says otherwise. */
export type Report = (finding: Omit<LintFinding, 'severity'> & { readonly severity?: Severity }) => void;

/** A message may be wrong in every line, and nobody reads more than this. */
const maxFindings = 200;

/** Collects findings, at most 200, without keys in their texts. */
export class FindingList {
  readonly #findings: LintFinding[] = [];

  readonly report: Report = ({ severity = 'error', ...finding }) => {
    if (this.#findings.length >= maxFindings) return;
    this.#findings.push({
      severity,
      ...finding,
      place: { ...finding.place, path: printable(finding.place.path) },
      text: withoutKeys(finding.text),
      cure: withoutKeys(finding.cure),
    });
  };

  get hasErrors(): boolean {
    return this.#findings.some(({ severity }) => severity === 'error');
  }

  /** In the order of their places; those without a line come first. */
  sorted(): LintFinding[] {
    const rank = ({ place: { line = 0, column = 0 } }: LintFinding) => line * 1e6 + column;
    return this.#findings.toSorted((one, other) => rank(one) - rank(other));
  }
}

/** Fit for a terminal and a log. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/** RFC 4568 §9.1: what follows `inline:` is a key, and so may be any long run of base64. */
function withoutKeys(text: string): string {
  return printable(text)
    .replace(/inline:[^\s|"]*/gi, 'inline:…')
    .replace(/[A-Za-z0-9+/]{38,}={0,2}/g, '…');
}
