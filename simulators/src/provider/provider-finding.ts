/** What the provider simulator found wrong with a request, each under a name that a test or a script can look for. */
export type ProviderFindingName =
  | 'unknown-path'
  | 'token-tenant'
  | 'token-client'
  | 'token-grant'
  | 'token-scope'
  | 'token-credential'
  | 'bearer-missing'
  | 'bearer-invalid'
  | 'bearer-role'
  | 'body-json'
  | 'body-content-type'
  | 'body-key-unknown'
  | 'body-value';

/** The text is one sentence for people; it never holds a secret or a token. */
export interface ProviderFinding {
  readonly name: ProviderFindingName;
  /** The request it was found in: `POST /api/v1.0/providers/tenants`. */
  readonly where: string;
  readonly text: string;
}

export type ReportFinding = (name: ProviderFindingName, text: string) => void;
