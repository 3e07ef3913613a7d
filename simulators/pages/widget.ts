/**
 * A sample dialer widget: shows the connection, the call and whether it is recorded, and lets dialer-client tell Dynamics 365. Yours
 * differs in getToken(): here the page's server gives a token for the seller of `?seller=`, yours signs the seller in.
 */
import { type ConnectionState, type DialerEvent, loadCif, startDialer } from '@sidestream/dialer-client';

interface WidgetSettings {
  readonly gatewayUrl: string;
  readonly cifOrigins: readonly string[];
}

const maxLogged = 50;
const query = new URLSearchParams(location.search);
const seller = query.get('seller') ?? '';

function show(id: string, text: string, state?: string): void {
  const element = document.getElementById(id);
  if (!element) return;
  element.textContent = text;
  if (state !== undefined) element.dataset['state'] = state;
}

function log(text: string, data: Record<string, string>): void {
  const list = document.getElementById('log');
  const entry = document.createElement('li');
  entry.textContent = text;
  Object.assign(entry.dataset, data);
  list?.prepend(entry);
  while (list && list.childElementCount > maxLogged) list.lastElementChild?.remove();
}

function showConnection(connection: ConnectionState): void {
  show('connection', wordsFor(connection), connection.state);
}

function wordsFor(connection: ConnectionState): string {
  switch (connection.state) {
    case 'connecting':
      return 'connecting';
    case 'connected':
      return `connected as ${connection.seller}`;
    case 'waiting': {
      const { reason, detail, retryInMs } = connection;
      return `${reason}: next try in ${(retryInMs / 1_000).toFixed(1)} s (${detail})`;
    }
    case 'stopped':
      return `stopped: ${connection.reason} ${connection.detail}`;
  }
}

function showCall(event: DialerEvent): void {
  const { who, recording, state } = cardFor(event);
  show('call-who', who);
  show('call-recording', recording);
  const card = document.getElementById('call');
  if (card) card.dataset['state'] = state;
}

/** What the card says of the call. */
function cardFor({ name, payload }: DialerEvent): { who: string; recording: string; state: string } {
  switch (name) {
    case 'WIDGET_CALL_STARTED': {
      const who = `Call ${payload.isIncomingCall ? 'from' : 'to'} ${payload.contactName} ${payload.contactNumber}`;
      return { who, recording: 'Recorded', state: 'recorded' };
    }
    case 'CALL_NOT_RECORDED':
      return { who: 'Call', recording: `Not recorded: ${payload.reason}`, state: 'not-recorded' };
    case 'WIDGET_CALL_ENDED': {
      const who = `Call ended after ${Math.round(payload.callDurationInSeconds)} s (${payload.callTerminationReason})`;
      return { who, recording: '', state: 'idle' };
    }
  }
}

async function token({ refresh }: { refresh: boolean }): Promise<string> {
  const body = JSON.stringify({ seller, refresh });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch('token', { method: 'POST', body, headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`no token: HTTP ${response.status}`);
  return await response.text();
}

const settings: WidgetSettings = await (await fetch('settings.json')).json();
const dialer = startDialer({
  url: settings.gatewayUrl,
  getToken: token,
  cif: loadCif({ allowedOrigins: settings.cifOrigins, onRetry: ({ message }) => show('cif', message, 'retrying') }),
  onCif: (outcome) => {
    if (outcome.ready) show('cif', 'ready', 'ready');
    else show('cif', outcome.detail, outcome.code);
  },
  payload: query.get('payload') === 'json' ? 'json' : 'object',
  storage: sessionStorage,
  onConnection: showConnection,
  onEvent: showCall,
  onRaised: ({ name, payload }, outcome) => {
    const result = outcome.raised ? 'told' : `not told: ${outcome.reason}`;
    log(`${name} ${payload.callId.slice(0, 8)} ${result}`, { event: name, raised: String(outcome.raised) });
  },
  onProblem: (text) => log(text, {}),
});
addEventListener('pagehide', () => dialer.stop());
// Some browsers bring back the page as it was, with what has been stopped.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
