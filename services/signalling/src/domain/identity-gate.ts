// When a tenant's changed certificate may be shown to recorders: a recorder takes only names that the provider was told.
import type { X509Certificate } from 'node:crypto';
import type { Logger } from '@sidestream/service';
import { isAccepted, type RegistrationRecord, sameNames } from '@sidestream/tenant-registration';

/** A registration that takes longer than this does not keep a certificate back: somebody may have registered it by hand. */
const longestWaitMs = 10 * 60_000;

export interface IdentityGateOptions {
  readonly tenant: string;
  /** What is known of the registration; undefined: nothing, such as before NATS was ever there. */
  readonly record: () => RegistrationRecord | undefined;
  readonly log: Logger;
  readonly now?: () => Date;
}

/** For one tenant that is registered by us; another tenant needs none. */
export class IdentityGate {
  readonly #options: IdentityGateOptions;
  readonly #now: () => Date;
  /** Which certificate waits, and since when. */
  #waiting: { readonly fingerprint256: string; readonly since: number } | undefined;

  constructor(options: IdentityGateOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
  }

  /** Whether `next` may take the place of `current`: at once, unless the provider knows only the names of `current`. */
  mayReplace(current: X509Certificate, next: X509Certificate): boolean {
    const { tenant, log } = this.#options;
    const now = this.#now();
    if (!this.#hasToWait(current, next, now)) {
      this.#waiting = undefined;
      return true;
    }
    const { fingerprint256, subject, issuer } = next;
    if (this.#waiting?.fingerprint256 !== fingerprint256) {
      this.#waiting = { fingerprint256, since: now.getTime() };
      log.info({ tenant, subject, issuer }, 'the new recorder identity waits until the provider was told of its names');
    }
    if (now.getTime() - this.#waiting.since < longestWaitMs) return false;
    log.warn(
      { tenant, subject, issuer },
      'the provider was not told of the new recorder identity in time; it is used now',
    );
    this.#waiting = undefined;
    return true;
  }

  #hasToWait(current: X509Certificate, next: X509Certificate, now: Date): boolean {
    const record = this.#options.record();
    // What the provider does not know is nothing to hold on to, nor is what has expired.
    if (record === undefined || !isAccepted(record, current) || new Date(current.validTo) <= now) return false;
    return !sameNames(current, next) && !isAccepted(record, next);
  }
}
