// How many calls and recordings there are in each state: read from the live calls when somebody looks.
import { Gauge, type Registry } from 'prom-client';
import type { CallView } from '../domain/call-plan.js';
import type { CallPhase } from '../domain/call-state.js';

const callStates = ['connecting', 'talking', 'closing'] as const;
const recordingStates = ['connecting', 'active', 'paused', 'stopping'] as const;

/** @param views of the live calls, asked at each scrape */
export function measureStates(metrics: Registry, views: () => readonly Pick<CallView, 'phase' | 'recordings'>[]): void {
  const gauge = (name: string, help: string, states: readonly string[], now: () => readonly (string | undefined)[]) =>
    new Gauge({
      name,
      help,
      labelNames: ['state'],
      registers: [metrics],
      collect() {
        for (const state of states) this.set({ state }, 0);
        for (const state of now()) if (state !== undefined) this.inc({ state });
      },
    });
  gauge(
    'sidestream_calls_by_state',
    'Calls by state: connecting (until the caller hears the answer), talking, closing.',
    callStates,
    () => views().map(({ phase }) => callState(phase)),
  );
  gauge(
    'sidestream_recordings_by_state',
    'Recordings by state: connecting (to a recorder, the first or the next), active, paused, stopping.',
    recordingStates,
    () => views().flatMap(({ recordings }) => recordings.map(({ phase }) => recordingState(phase))),
  );
}

function callState(phase: CallPhase): (typeof callStates)[number] | undefined {
  if (phase === 'ended') return undefined;
  return phase === 'talking' || phase === 'closing' ? phase : 'connecting';
}

function recordingState(phase: string): (typeof recordingStates)[number] | undefined {
  if (phase === 'ended') return undefined;
  if (phase === 'active' || phase === 'paused') return phase;
  return phase.startsWith('stopping') ? 'stopping' : 'connecting';
}
