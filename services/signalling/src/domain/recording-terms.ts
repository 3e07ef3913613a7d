// When a tenant's calls are recorded, how much depends on it, and by how many recorders. Of the configuration; the rest obeys it.

export interface RecordingTerms {
  /** `ringing`: set up while the far side rings, so that no word is lost. */
  readonly start: 'answer' | 'ringing';
  /** The caller is answered only once the call is recorded; such a recording starts at ringing. */
  readonly required: boolean;
  /** How long an answered far side waits for a required recording. */
  readonly requiredTimeoutMs: number;
  /** What becomes of a call that must be recorded when its recording is lost. */
  readonly onLoss: 'keep' | 'end';
  /** `off`: one recorder, the next ones of the list when it fails. Else all of the list at once: recorded when any is, or when all are. */
  readonly parallel: 'off' | 'any' | 'all';
  /** Parties whose user agent is record-aware may have their call not recorded, or paused; not one that must be recorded. */
  readonly honourPreferences: boolean;
}

/** What holds where nothing else is configured. */
export const usualTerms: RecordingTerms = {
  start: 'answer',
  required: false,
  requiredTimeoutMs: 4_000,
  onLoss: 'keep',
  parallel: 'off',
  honourPreferences: false,
};

/** As far as the call itself is concerned. */
export type RecordingPlan = 'none' | 'at-answer' | 'at-ringing' | 'required';

export function planOf(terms: Pick<RecordingTerms, 'start' | 'required'>): RecordingPlan {
  if (terms.required) return 'required';
  return terms.start === 'ringing' ? 'at-ringing' : 'at-answer';
}
