/** A dialer at a gateway that a test plays. For tests. */
import type { TestContext } from 'node:test';
import { eventually } from '@sidestream/peers';
import { WebSocket as NodeWebSocket } from 'ws';
import { type DialerOptions, startDialer } from './dialer.js';
import { ScriptedGateway } from './scripted-gateway.js';
import type { ConnectionState } from './states.js';

/** Retries at once, and patience enough for a busy machine. */
export const quick = {
  connectMs: 30_000,
  answerMs: 30_000,
  silenceMs: 30_000,
  firstRetryMs: 5,
  longestRetryMs: 40,
  retryMs: 1,
  attemptMs: 30_000,
};

/** With a CIF that takes everything; tells what happened so far. */
export async function stage(t: TestContext, options: Partial<DialerOptions> = {}) {
  const gateway = await ScriptedGateway.start(t);
  const raised: [string, object | string][] = [];
  const states: ConnectionState[] = [];
  const tokens: boolean[] = [];
  const problems: string[] = [];
  const dialer = startDialer({
    url: gateway.url,
    getToken: async ({ refresh }) => `token ${tokens.push(refresh)}`,
    cif: Promise.resolve({ raiseEvent: async (name, input) => raised.push([name, input]) > 0 }),
    onConnection: (state) => states.push(state),
    onProblem: (text) => problems.push(text),
    WebSocket: NodeWebSocket as unknown as typeof WebSocket,
    timing: quick,
    ...options,
  });
  t.after(() => dialer.stop());
  const names = () => raised.map(([name, input]) => `${name} ${(input as { callId: string }).callId}`);
  const reached = (wanted: string) =>
    eventually(
      () => states.some(({ state, ...rest }) => `${state} ${'reason' in rest ? rest.reason : ''}`.trim() === wanted),
      wanted,
    );
  return { gateway, dialer, raised, names, states, reached, tokens, problems };
}
