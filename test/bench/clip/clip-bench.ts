// `bench clip`: how much of a call is missing in its recording, beside recorders that are 100 ms away and misbehave.
import { BehaviourStage } from '../../e2e/behaviour/behaviour-stage.js';
import { type Figure, median, type Report, rounded, thisMachine } from '../report.js';
import { measureClip, measureGap } from './clip-call.js';
import { type ClipStep, clipSteps } from './clip-steps.js';

export interface ClipBenchOptions {
  /** Calls of each step. */
  readonly calls: number;
  readonly only: readonly string[];
}

export const clipBenchDefaults: ClipBenchOptions = { calls: 7, only: clipSteps.map(({ figure }) => figure) };

const meaning = {
  clip: 'audio missing at the start, of the voice that lost more',
  gap: 'from the last packet at the lost recorder to both voices at the next',
};

export const clipBenchRemarks: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    clipSteps.map(({ figure, goalMs, measures }) => [figure, `goal ≤ ${goalMs}; ${meaning[measures]}; median`]),
  ),
  worstMs: 'the worst call of each',
};

/**
 * Runs the wanted steps on one deployment, one call after the other, each with a tenant and recorders of its own.
 * @throws Error when a recording does not come about, or does not go on
 */
export async function clipBench({ calls, only }: ClipBenchOptions, progress: (line: string) => void): Promise<Report> {
  const machine = thisMachine();
  const wanted = clipSteps.filter(({ figure }) => only.includes(figure));
  const steps = wanted.map((step) => ({ step, lanes: Array.from({ length: calls }, () => ({ ...step.lane })) }));
  const stage = await BehaviourStage.start(steps.flatMap(({ lanes }) => lanes));
  const figures: Record<string, Figure> = {};
  const worst: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  try {
    for (const { step, lanes } of steps) {
      const measured = await measure(stage, step, lanes);
      progress(`${step.figure}: ${measured.map(Math.round).join(', ')} ms`);
      figures[step.figure] = rounded(median(measured));
      worst[step.figure] = rounded(Math.max(...measured));
      ratios[`${step.figure.replace(/Ms$/, '')}VsGoal`] = rounded(median(measured) / step.goalMs);
    }
  } finally {
    await stage.stop();
  }
  return { name: 'clip', figures: { ...figures, worstMs: worst }, ratios, machine };
}

async function measure(
  stage: BehaviourStage,
  { measures }: ClipStep,
  lanes: readonly ClipStep['lane'][],
): Promise<number[]> {
  const measured: number[] = [];
  for (const options of lanes) {
    const lane = stage.lane(options);
    measured.push(await (measures === 'clip' ? measureClip(stage, lane) : measureGap(stage, lane)));
  }
  return measured;
}
