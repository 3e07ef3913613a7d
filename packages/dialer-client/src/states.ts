/** How the connection to the gateway is, in words that a widget can show. */

/** Gives an access token for the gateway; `refresh` asks for a new one because the last was refused or is running out. */
export type GetToken = (request: { readonly refresh: boolean }) => Promise<string>;

/** Why there is no connection for the moment. */
export type WaitReason =
  | 'connection-lost'
  | 'no-answer'
  | 'no-token'
  | 'offline'
  | 'going-away'
  | 'token-refused'
  | 'too-slow'
  | 'try-later'
  | 'too-many'
  | 'protocol'
  | 'unknown-event-id'
  /** Events are raised slower than they come; the rest is fetched later. */
  | 'cif-busy';

/** Why there will be no connection any more: told so, the user may not, or no token is taken. */
export type StopReason = 'stopped' | 'forbidden' | 'token-refused';

export type ConnectionState =
  | { readonly state: 'connecting' }
  | { readonly state: 'connected'; readonly seller: string; readonly expiresAt: Date }
  | { readonly state: 'waiting'; readonly reason: WaitReason; readonly detail: string; readonly retryInMs: number }
  | { readonly state: 'stopped'; readonly reason: StopReason; readonly detail: string };

/** How a gateway says with 1013 that this client did not read what it was sent. */
const slowText = 'does not keep up';

/** What the gateway means by the code, and the words, with which it closes. */
export function closeReason(code: number, text: string): WaitReason | 'forbidden' {
  switch (code) {
    case 1001:
    case 1012:
      return 'going-away';
    case 1013:
      return text === slowText ? 'too-slow' : 'try-later';
    case 4408:
      // It heard no first frame.
      return 'no-answer';
    case 4400:
      return 'protocol';
    case 4401:
      return 'token-refused';
    case 4403:
      return 'forbidden';
    case 4409:
      return 'unknown-event-id';
    case 4429:
      return 'too-many';
    default:
      return 'connection-lost';
  }
}
