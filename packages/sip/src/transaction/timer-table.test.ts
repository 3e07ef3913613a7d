// RFC 3261 §17 table 4 and RFC 6026 §7: the value of every timer, over UDP and TCP, with the usual base values and others.
// What each timer does is in client-timers.test.ts and server-timers.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientEffect, ClientEvent } from './client-fsm.js';
import { type FsmContext, type Machine, runMachine } from './fsm.js';
import { initialInviteClientState, inviteClientStep } from './invite-client-fsm.js';
import { initialInviteServerState, inviteServerStep } from './invite-server-fsm.js';
import { initialNonInviteClientState, nonInviteClientStep } from './non-invite-client-fsm.js';
import { initialNonInviteServerState, nonInviteServerStep } from './non-invite-server-fsm.js';
import type { ServerEffect, ServerEvent } from './server-fsm.js';
import { defaultTimers, type TimerValues } from './timer-values.js';

type Side = 'invite-client' | 'client' | 'invite-server' | 'server';
type ClientMachine = Machine<string, ClientEvent, ClientEffect>;
type ServerMachine = Machine<string, ServerEvent, ServerEffect>;

const clients = {
  'invite-client': (context: FsmContext): ClientMachine =>
    runMachine(initialInviteClientState, inviteClientStep, context),
  client: (context: FsmContext): ClientMachine => runMachine(initialNonInviteClientState, nonInviteClientStep, context),
};
const servers = {
  'invite-server': (context: FsmContext): ServerMachine =>
    runMachine(initialInviteServerState, inviteServerStep, context),
  server: (context: FsmContext): ServerMachine => runMachine(initialNonInviteServerState, nonInviteServerStep, context),
};

/** Milliseconds of a timer when it is first started, undefined where it never is. `status`: of the final response. */
function started(side: Side, timer: string, status: number | undefined, context: FsmContext): number | undefined {
  let effects: readonly (ClientEffect | ServerEffect)[];
  if (side === 'invite-client' || side === 'client') {
    const machine = clients[side](context);
    const first = machine.dispatch({ type: 'start' });
    effects = status === undefined ? first : [...first, ...machine.dispatch({ type: 'response', status })];
  } else {
    const machine = servers[side](context);
    const first = machine.dispatch({ type: 'start', tryingDelayMs: 0 });
    const answered = status === undefined ? [] : machine.dispatch({ type: 'respond', status });
    effects = [...first, ...answered, ...machine.dispatch({ type: 'ack' })];
  }
  for (const effect of effects) if (effect.type === 'start-timer' && effect.timer === timer) return effect.ms;
  return undefined;
}

const others: TimerValues = { t1: 1000, t2: 8000, t4: 10_000 };
const small: TimerValues = { t1: 100, t2: 400, t4: 500 };

for (const { timer, clause, side, status, udp, tcp } of [
  { timer: 'A', clause: '3261 §17.1.1.2', side: 'invite-client', status: undefined, udp: ({ t1 }) => t1, tcp: none },
  { timer: 'B', clause: '3261 §17.1.1.2', side: 'invite-client', status: undefined, udp: t1x64, tcp: t1x64 },
  {
    timer: 'D',
    clause: '3261 §17.1.1.2',
    side: 'invite-client',
    status: 486,
    udp: (t) => Math.max(32_000, t1x64(t)),
    tcp: none,
  },
  { timer: 'E', clause: '3261 §17.1.2.2', side: 'client', status: undefined, udp: ({ t1 }) => t1, tcp: none },
  { timer: 'F', clause: '3261 §17.1.2.2', side: 'client', status: undefined, udp: t1x64, tcp: t1x64 },
  { timer: 'G', clause: '3261 §17.2.1', side: 'invite-server', status: 486, udp: ({ t1 }) => t1, tcp: none },
  { timer: 'H', clause: '3261 §17.2.1', side: 'invite-server', status: 486, udp: t1x64, tcp: t1x64 },
  { timer: 'I', clause: '3261 §17.2.1', side: 'invite-server', status: 486, udp: ({ t4 }) => t4, tcp: none },
  { timer: 'J', clause: '3261 §17.2.2', side: 'server', status: 200, udp: t1x64, tcp: none },
  { timer: 'K', clause: '3261 §17.1.2.2', side: 'client', status: 200, udp: ({ t4 }) => t4, tcp: none },
  { timer: 'L', clause: '6026 §7.1', side: 'invite-server', status: 200, udp: t1x64, tcp: t1x64 },
  { timer: 'M', clause: '6026 §7.2', side: 'invite-client', status: 200, udp: t1x64, tcp: t1x64 },
] satisfies readonly {
  timer: string;
  clause: string;
  side: Side;
  status: number | undefined;
  udp: (timers: TimerValues) => number | undefined;
  tcp: (timers: TimerValues) => number | undefined;
}[]) {
  test(`RFC ${clause}: timer ${timer}`, () => {
    for (const timers of [defaultTimers, others, small]) {
      assert.equal(started(side, timer, status, { timers, reliable: false }), udp(timers), 'UDP');
      assert.equal(started(side, timer, status, { timers, reliable: true }), tcp(timers), 'TCP');
    }
  });
}

function t1x64({ t1 }: TimerValues): number {
  return 64 * t1;
}

function none(): undefined {
  return undefined;
}
