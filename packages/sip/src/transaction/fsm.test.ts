import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ClientEvent } from './client-fsm.js';
import { type FsmContext, runMachine } from './fsm.js';
import { initialInviteClientState, inviteClientStep } from './invite-client-fsm.js';
import { initialInviteServerState, inviteServerStep } from './invite-server-fsm.js';
import { initialNonInviteClientState, nonInviteClientStep } from './non-invite-client-fsm.js';
import { initialNonInviteServerState, nonInviteServerStep } from './non-invite-server-fsm.js';
import type { ServerEvent } from './server-fsm.js';
import { defaultTimers } from './timer-values.js';

const status = fc.integer({ min: 100, max: 699 });
const clientEvent: fc.Arbitrary<ClientEvent> = fc.oneof(
  fc.record({ type: fc.constant('response' as const), status }),
  fc.record({ type: fc.constant('timer' as const), timer: fc.constantFrom('A', 'B', 'D', 'E', 'F', 'K', 'M') }),
  fc.record({ type: fc.constantFrom('cancel-sent', 'transport-error') }),
);
const serverEvent: fc.Arbitrary<ServerEvent> = fc.oneof(
  fc.record({ type: fc.constant('respond' as const), status }),
  fc.record({ type: fc.constant('timer' as const), timer: fc.constantFrom('trying', 'G', 'H', 'I', 'J', 'L') }),
  fc.record({ type: fc.constantFrom('retransmit', 'ack', 'transport-error') }),
);

test('client machines: nothing leaves Terminated, a final response is delivered at most once unless it is a 2xx to INVITE', () => {
  const machines = [
    (context: FsmContext) => runMachine(initialInviteClientState, inviteClientStep, context),
    (context: FsmContext) => runMachine(initialNonInviteClientState, nonInviteClientStep, context),
  ];
  fc.assert(
    fc.property(fc.array(clientEvent, { maxLength: 30 }), fc.boolean(), (events, reliable) => {
      for (const make of machines) {
        const machine = make({ timers: defaultTimers, reliable });
        machine.dispatch({ type: 'start' });
        let failures = 0;
        for (const event of events) {
          const before: string = machine.name;
          const effects = machine.dispatch(event);
          if (before === 'terminated') assert.deepEqual([machine.name, effects], ['terminated', []]);
          const delivered = effects.some(({ type }) => type === 'deliver');
          if (delivered && event.type === 'response' && event.status >= 300) failures += 1;
        }
        assert.ok(failures <= 1);
      }
    }),
  );
});

test('server machines: nothing leaves Terminated, one kind of final response at most is sent', () => {
  const machines = [
    (context: FsmContext) => runMachine(initialInviteServerState, inviteServerStep, context),
    (context: FsmContext) => runMachine(initialNonInviteServerState, nonInviteServerStep, context),
  ];
  fc.assert(
    fc.property(fc.array(serverEvent, { maxLength: 30 }), fc.boolean(), (events, reliable) => {
      for (const make of machines) {
        const machine = make({ timers: defaultTimers, reliable });
        machine.dispatch({ type: 'start', tryingDelayMs: 0 });
        const finals = new Set<string>();
        for (const event of events) {
          const before: string = machine.name;
          const effects = machine.dispatch(event);
          if (before === 'terminated') assert.deepEqual([machine.name, effects], ['terminated', []]);
          const sent = effects.some(({ type }) => type === 'send-response');
          if (sent && event.type === 'respond' && event.status >= 200)
            finals.add(event.status < 300 ? '2xx' : 'failure');
        }
        assert.ok(finals.size <= 1);
      }
    }),
  );
});

test('RFC 3261 §17.2.1: in Proceeding an ACK means nothing', () => {
  const machine = runMachine(initialInviteServerState, inviteServerStep, { timers: defaultTimers, reliable: false });
  machine.dispatch({ type: 'start', tryingDelayMs: 0 });
  assert.deepEqual(machine.dispatch({ type: 'ack' }), []);
  assert.equal(machine.name, 'proceeding');
});
