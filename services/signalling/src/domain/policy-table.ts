// The policies in use, one immutable snapshot per tenant, and the decision over them. It must not know where they come from.
import {
  type Decision,
  decide,
  type Explanation,
  explain,
  type Freshness,
  type PolicySnapshot,
} from '@sidestream/policy';
import type { Policies, PolicyFacts } from './ports.js';

/** What the configuration says of a tenant besides the policy. */
export interface PolicyTenant {
  /** In order. */
  readonly recorders: readonly string[];
  /** False: no call of the tenant is recorded, whatever its policy says. */
  readonly enabled: boolean;
}

/** Told of every snapshot that comes into use; `loadMs` is what it took to get it. */
export type SwapListener = (tenant: string, snapshot: PolicySnapshot, loadMs: number) => void;

export class PolicyTable implements Policies {
  readonly #tenants: ReadonlyMap<string, PolicyTenant>;
  readonly #snapshots = new Map<string, PolicySnapshot>();
  readonly #since = new Map<string, Date>();
  readonly #onSwap: SwapListener;

  constructor(tenants: Readonly<Record<string, PolicyTenant>>, onSwap: SwapListener = () => {}) {
    this.#tenants = new Map(Object.entries(tenants));
    this.#onSwap = onSwap;
  }

  /** Takes a snapshot into use; the one before it is dropped as soon as no decision holds it. */
  swap(tenant: string, snapshot: PolicySnapshot, loadMs: number): void {
    this.#snapshots.set(tenant, snapshot);
    this.#since.set(tenant, new Date());
    this.#onSwap(tenant, snapshot, loadMs);
  }

  /** The source has confirmed what is in use. */
  confirm(tenant: string, freshness: Freshness): void {
    const snapshot = this.#snapshots.get(tenant);
    if (snapshot !== undefined) this.#snapshots.set(tenant, snapshot.confirmed(freshness));
  }

  /** What is in use, by tenant. */
  get current(): ReadonlyMap<string, PolicySnapshot> {
    return this.#snapshots;
  }

  /** Tenants whose calls cannot be decided: there was never a policy, and recording is not switched off. */
  get missing(): string[] {
    return [...this.#tenants].flatMap(([tenant, { enabled }]) =>
      enabled && !this.#snapshots.has(tenant) ? [tenant] : [],
    );
  }

  /** Why no call can come in at all: every tenant lacks a policy. Undefined when one has one. */
  get problem(): string | undefined {
    const { missing } = this;
    return missing.length > 0 && missing.length === this.#tenants.size
      ? `none usable of ${missing.join(', ')}`
      : undefined;
  }

  /** What is in use, of every tenant; `snapshot` and `since` are undefined where there is nothing. */
  get inUse(): { tenant: string; snapshot: PolicySnapshot | undefined; since: Date | undefined }[] {
    const of = (tenant: string) => ({ snapshot: this.#snapshots.get(tenant), since: this.#since.get(tenant) });
    return [...this.#tenants.keys()].map((tenant) => ({ tenant, ...of(tenant) }));
  }

  /** What would be decided about a call of these parties, and why; undefined for a tenant that there is not. */
  explain(
    tenant: string,
    parties: { readonly party: string; readonly other: string },
    at: Date,
  ): Explanation | undefined {
    const known = this.#tenants.get(tenant);
    return known && explain(this.#snapshots.get(tenant), { ...known, ...parties, tenant, at });
  }

  decide(tenant: string, { side, parties, numbers, at }: PolicyFacts): Decision {
    const { recorders = [], enabled = true } = this.#tenants.get(tenant) ?? {};
    // The first one says who the party is; a number of its plan is its number.
    const candidates = (uris: readonly string[], number: string | undefined) =>
      uris.map((uri, index) => (index === 0 && number !== undefined ? { uri, number } : { uri }));
    const facts = {
      tenant,
      side,
      calling: candidates(parties.callingUris, numbers?.calling),
      called: candidates(parties.calledUris, numbers?.called),
      at,
      enabled,
    };
    return decide(this.#snapshots.get(tenant), facts, recorders);
  }
}
