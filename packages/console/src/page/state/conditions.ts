/** What the states of things mean to an operator: one word, and whether something has to be done. Pure; the page's only judgement. */
import type {
  Call,
  CallRecord,
  Recorder,
  Recording,
  Registration,
  Relay,
  TenantPolicy,
  Termination,
} from '../api/shapes.js';
import { daysUntil } from './durations.js';

/** `idle`: nothing is the matter, and nothing happens. */
export type Tone = 'good' | 'idle' | 'warn' | 'bad';

export interface Condition {
  readonly word: string;
  readonly tone: Tone;
}

/** A certificate that ends sooner is told in warning, one that ends within a week as an error. */
const warnDays = 30;
const urgentDays = 7;

const recordingWords: Readonly<Record<string, Condition>> = {
  active: { word: 'Recording', tone: 'good' },
  paused: { word: 'Paused', tone: 'warn' },
  waiting: { word: 'Between recorders', tone: 'bad' },
  ended: { word: 'Ended', tone: 'idle' },
  stopping: { word: 'Stopping', tone: 'idle' },
};

const verdicts: ReadonlyMap<string, Condition> = new Map(
  Object.entries({
    complete: { word: 'Recorded', tone: 'good' },
    partial: { word: 'Partly recorded', tone: 'warn' },
    unconfirmed: { word: 'Not confirmed', tone: 'warn' },
    missing: { word: 'Missing', tone: 'bad' },
    waived: { word: 'Ended on request', tone: 'idle' },
    'not-expected': { word: 'Not to be recorded', tone: 'idle' },
  } satisfies Record<string, Condition>),
);

/** The recording that counts: the last one begun. */
export function currentRecording({ recordings }: Call): Recording | undefined {
  return recordings.at(-1);
}

/** Whether the call is recorded now. One that should be, is answered, and is not, is the worst that the console can show. */
export function recordingCondition(call: Call): Condition {
  if (call.silent === true) return { word: 'Not known', tone: 'warn' };
  if (call.missing !== undefined) return { word: 'Missing', tone: 'bad' };
  const recording = currentRecording(call);
  if (recording !== undefined) return recordingWords[recording.phase] ?? { word: 'Starting', tone: 'idle' };
  if (call.decision?.record !== true) return { word: 'Not recorded', tone: 'idle' };
  return call.answeredAt === undefined ? { word: 'On answer', tone: 'idle' } : { word: 'Missing', tone: 'bad' };
}

export function recorderCondition({ state }: Recorder): Condition {
  switch (state) {
    case 'healthy':
      return { word: 'Healthy', tone: 'good' };
    case 'probing':
      return { word: 'Probing', tone: 'warn' };
    case 'avoided':
      return { word: 'Avoided', tone: 'bad' };
    default:
      return { word: capital(state), tone: 'idle' };
  }
}

export function relayCondition({ draining, sessions, capacity }: Relay): Condition {
  if (draining) return { word: 'Draining', tone: 'warn' };
  if (capacity !== undefined && capacity > 0 && sessions >= capacity) return { word: 'Full', tone: 'bad' };
  return { word: 'Taking calls', tone: 'good' };
}

export function policyCondition({ source, revision, stale, staleRule, lastError }: TenantPolicy): Condition {
  if (revision === '') return { word: 'None', tone: 'bad' };
  if (source === 'file') return { word: 'From a file', tone: 'good' };
  if (stale) return { word: `Stale: ${staleRule}`, tone: 'bad' };
  return lastError ? { word: 'Last sync failed', tone: 'warn' } : { word: 'Current', tone: 'good' };
}

export function registrationCondition({ state }: Registration): Condition {
  switch (state) {
    case 'applied':
      return { word: 'Registered', tone: 'good' };
    case 'drifted':
      return { word: 'Drifted', tone: 'warn' };
    case 'failed':
      return { word: 'Failed', tone: 'bad' };
    default:
      return { word: capital(state), tone: 'idle' };
  }
}

/** How long the tenant's certificate lasts; undefined where the service knows of none. */
export function certificateCondition(registration: Registration, nowMs: number): Condition | undefined {
  const { certificateExpiresAt: expiresAt } = registration;
  if (expiresAt === undefined) return undefined;
  const days = daysUntil(expiresAt, nowMs);
  if (days < 0) return { word: 'Expired', tone: 'bad' };
  return { word: `${days} d left`, tone: days < urgentDays ? 'bad' : days < warnDays ? 'warn' : 'good' };
}

/** Whether a call that is over was recorded. */
export function verdictCondition({ verdict }: Pick<CallRecord, 'verdict'>): Condition {
  return verdicts.get(verdict ?? '') ?? { word: 'Not known', tone: 'warn' };
}

export function terminationCondition(termination: Termination | undefined): Condition {
  if (termination === undefined) return { word: 'Unknown', tone: 'warn' };
  const tones: Readonly<Record<string, Tone>> = { success: 'good', 'client-error': 'idle', 'server-error': 'bad' };
  return { word: termination.reason, tone: tones[termination.result] ?? 'warn' };
}

/** `not-listed` → `Not listed`. */
export function capital(text: string): string {
  const words = text.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
