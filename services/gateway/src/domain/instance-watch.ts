// Which instances have gone, judged by their leases: one whose lease has ended for a while and who answers nobody, or whose process is
// another one now. Nothing here looks at a clock or at a network.

export interface InstanceLease {
  /** When its process began; undefined where it does not say. */
  readonly sinceMs: number | undefined;
}

/** @param sinceMs since when its lease is missing, or another process has its name */
export interface Suspect {
  readonly instance: string;
  readonly sinceMs: number;
  /** Calls that began before, and that it does not list, are lost; undefined: all of them, if it does not answer. */
  readonly before: number | undefined;
}

export class InstanceWatch {
  readonly #graceMs: number;
  /** Since when each has no lease. */
  readonly #missing = new Map<string, number>();
  /** Since when each process is known. */
  readonly #runs = new Map<string, { readonly sinceMs: number; readonly seenAtMs: number }>();

  /** @param graceMs what is missing may come back within it: all leases end when NATS was away, and events may be on their way */
  constructor({ graceMs }: { readonly graceMs: number }) {
    this.#graceMs = graceMs;
  }

  /**
   * The leases were read: who is suspect now.
   *
   * @param wanted the instances that matter: those that have calls, as far as is known, or that had a lease
   */
  look(leases: ReadonlyMap<string, InstanceLease>, wanted: Iterable<string>, nowMs: number): Suspect[] {
    const all = new Set(wanted);
    for (const known of [this.#missing, this.#runs])
      for (const instance of known.keys()) if (!all.has(instance)) known.delete(instance);
    return [...all].flatMap((instance) => {
      const lease = leases.get(instance);
      return lease === undefined ? this.#absent(instance, nowMs) : this.#present(instance, lease, nowMs);
    });
  }

  #absent(instance: string, nowMs: number): Suspect[] {
    const sinceMs = this.#missing.get(instance) ?? nowMs;
    this.#missing.set(instance, sinceMs);
    return nowMs - sinceMs < this.#graceMs ? [] : [{ instance, sinceMs, before: undefined }];
  }

  #present(instance: string, { sinceMs }: InstanceLease, nowMs: number): Suspect[] {
    this.#missing.delete(instance);
    if (sinceMs === undefined) return [];
    const known = this.#runs.get(instance);
    const run = known?.sinceMs === sinceMs ? known : { sinceMs, seenAtMs: nowMs };
    this.#runs.set(instance, run);
    return nowMs - run.seenAtMs < this.#graceMs ? [] : [{ instance, sinceMs, before: sinceMs }];
  }
}
