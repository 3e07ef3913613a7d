// The steps of `bench clip`: which recorders a call has, and what of it is measured. No call is made here.
import { byeAfter, combine, deadAfter, rejectWith, resetAfter, staySilent, wellBehaved } from '@sidestream/simulators';
import type { LaneOptions } from '../../e2e/behaviour/lane.js';

/** Milliseconds of each way to either recorder. */
const distanceMs = 50;
/** Long enough for a recording that is set up while it rings. */
const ringMs = 1_000;
/** When the first recorder is lost. */
const lossAfterMs = 500;

/** One figure. */
export interface ClipStep {
  readonly figure: string;
  readonly goalMs: number;
  /** The audio missing at the start, or the gap between the first and the next recorder. */
  readonly measures: 'clip' | 'gap';
  readonly lane: LaneOptions;
}

const lane = (behave: LaneOptions['behave'], recording: object = {}): LaneOptions => ({
  behave,
  recording,
  distanceMs,
  ringMs,
});

export const clipSteps: readonly ClipStep[] = [
  { figure: 'answerClippedMs', goalMs: 160, measures: 'clip', lane: lane(() => wellBehaved) },
  { figure: 'ringingClippedMs', goalMs: 20, measures: 'clip', lane: lane(() => wellBehaved, { start: 'ringing' }) },
  { figure: 'requiredClippedMs', goalMs: 20, measures: 'clip', lane: lane(() => wellBehaved, { mode: 'required' }) },
  { figure: 'failoverSilentMs', goalMs: 2_000, measures: 'clip', lane: lane(staySilent) },
  { figure: 'failover503Ms', goalMs: 500, measures: 'clip', lane: lane(() => rejectWith(503)) },
  {
    figure: 'midCallRecoveryMs',
    goalMs: 5_000,
    measures: 'gap',
    lane: lane(() => combine(deadAfter(lossAfterMs), resetAfter(lossAfterMs + 50))),
  },
  { figure: 'recorderByeMs', goalMs: 1_000, measures: 'gap', lane: lane(() => byeAfter(lossAfterMs)) },
];
