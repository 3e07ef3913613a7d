/**
 * What the console reads of the gateway's REST interface (`/api/v1/openapi.json`): only what it shows, and nothing else of it. Times are
 * ISO 8601 texts.
 */

/** Who takes part. Masked by the gateway unless the request asked to reveal. */
export interface Party {
  readonly uri: string;
  readonly name: string;
}

export interface Decision {
  readonly record: boolean;
  readonly reason: string;
  readonly policyRevision: string;
  readonly recorders: readonly string[];
}

/** How one voice flows at the moment; older gateways tell nothing of it. */
export interface Voice {
  /** "customer" or "seller". */
  readonly party: string;
  readonly packetsPerSecond: number;
}

export interface Recording {
  readonly recordingId: string;
  readonly recorderCallId: string;
  /** "forking", "inviting", "connecting", "active", "paused", "waiting", "stopping", "ended" … */
  readonly phase: string;
  readonly recorder: string;
  /** Who wants it paused: "operator", "party", "recorder". */
  readonly pausedBy: readonly string[];
  /** What leaves for the recorder. */
  readonly voices?: readonly Voice[];
}

export interface Call {
  readonly callId: string;
  readonly instance: string;
  readonly tenant: string;
  readonly trunk: string;
  readonly direction: string;
  /** "opening", "dialling", "answering", "accepting", "talking", "closing". */
  readonly phase: string;
  readonly startedAt?: string;
  readonly answeredAt?: string;
  readonly calling?: Party;
  readonly called?: Party;
  readonly seller: string;
  readonly decision?: Decision;
  readonly recordings: readonly Recording[];
  /** The call should be recorded now and is not. */
  readonly missing?: Missing;
  /** What comes from each party. */
  readonly voices?: readonly Voice[];
  /** Its instance does not answer: this is what is known of the call without it. */
  readonly silent?: boolean;
}

/** A signalling instance. */
export interface Instance {
  readonly instance: string;
  /** "live", "silent": it does not answer, "gone": its calls are lost. */
  readonly state: string;
  readonly calls: number;
  /** When it was first found not to be live. */
  readonly since?: string;
}

/** A call that went with its instance: nobody knows how it ended. */
export interface LostCall extends Call {
  /** When its instance was found to be gone. */
  readonly endedAt?: string;
  readonly termination?: Termination;
}

/** The live calls, and whom they were had from. */
export interface LiveCalls {
  readonly calls: readonly Call[];
  readonly instances: readonly Instance[];
  readonly lost: readonly LostCall[];
}

/** Why, and since when. */
export interface Missing {
  readonly reason: string;
  readonly since: string;
}

export interface Recorder {
  /** The signalling instance that finds it so. */
  readonly instance: string;
  readonly region: string;
  readonly recorder: string;
  readonly tenant: string;
  /** "healthy", "avoided", "probing", "unknown" … */
  readonly state: string;
  readonly reason?: string;
  readonly recordings?: number;
  readonly since?: string;
}

export interface Relay {
  readonly relay: string;
  readonly region: string;
  readonly address: string;
  readonly sessions: number;
  /** The most that it takes; absent or 0: no bound. */
  readonly capacity?: number;
  readonly draining: boolean;
}

export interface TenantPolicy {
  readonly tenant: string;
  /** "provider" or "file". */
  readonly source?: string;
  readonly revision: string;
  readonly users: number;
  readonly fetchedAt?: string;
  readonly checkedAt?: string;
  readonly stale: boolean;
  readonly staleRule: string;
  readonly lastError?: string;
  readonly problemCount?: number;
}

export interface Warning {
  readonly code: string;
  readonly text: string;
}

export interface Registration {
  readonly tenant: string;
  /** "never", "applied", "drifted", "failed". */
  readonly state: string;
  readonly appliedAt?: string;
  readonly lastError?: string;
  readonly certificateSubject?: string;
  readonly certificateExpiresAt?: string;
  readonly warnings?: readonly Warning[];
}

export interface Termination {
  /** "success", "client-error", "server-error", "upstream-error", "indeterminate". */
  readonly result: string;
  readonly reason: string;
  readonly detail?: string;
}

/** A recording of an ended call. */
export interface RecordedRecording {
  readonly recordingId: string;
  readonly recorder: string;
  readonly durationMs: number;
  readonly gapMs: number;
  readonly termination?: Termination;
}

/** An ended call. */
export interface CallRecord {
  readonly callId: string;
  readonly tenant: string;
  readonly direction: string;
  readonly endedAt?: string;
  readonly durationMs: number;
  readonly calling?: Party;
  readonly called?: Party;
  readonly decision?: Decision;
  /** "complete", "partial", "unconfirmed", "missing", "waived", "not-expected"; absent where nobody knows. */
  readonly verdict?: string;
  readonly termination?: Termination;
  readonly recordings: readonly RecordedRecording[];
}

/** What each part of the page is filled with, by the name of its list. */
export interface Lists {
  readonly calls: LiveCalls;
  readonly recorders: readonly Recorder[];
  readonly relays: readonly Relay[];
  readonly policies: readonly TenantPolicy[];
  readonly registrations: readonly Registration[];
  readonly records: readonly CallRecord[];
}

export type ListName = keyof Lists;

/** `GET /console.json`: how the page signs its user in. */
export interface ConsoleConfig {
  readonly authority: string;
  readonly clientId: string;
  readonly scope: string;
}
