/**
 * How far a seller's events have come in Dynamics 365: what has to outlive the page, kept apart for each gateway and seller. Without a
 * storage, or where that fails, the page alone remembers.
 */
import type { DialerEvent } from './events.js';
import { Recent } from './recent.js';

export type MemoryStorage = Pick<Storage, 'getItem' | 'setItem'>;

/** As many events as a gateway keeps for one seller at most. */
const maxSettled = 200;
const maxStarted = 100;

export class Memory {
  readonly #key: string;
  readonly #storage: MemoryStorage | undefined;
  #seller: string | undefined;
  #place: string | undefined;
  /** Events that were raised, or are over without it. */
  #settled = new Recent(maxSettled);
  /** Call ids whose WIDGET_CALL_STARTED was raised, until their end is. */
  #started = new Recent(maxStarted);

  /** Takes the seller to be the one who was connected last, until {@link enter} says who it is. */
  constructor(url: string, storage: MemoryStorage | undefined) {
    this.#key = `sidestream.dialer ${url}`;
    this.#storage = storage;
    const seller = this.#read(this.#key);
    if (seller) this.#load(seller);
  }

  /** Id of the event, or the place, behind which to resume. */
  get place(): string | undefined {
    return this.#place;
  }

  /**
   * The gateway has said who it is.
   *
   * @param place where a seller begins of whom nothing is remembered
   * @returns false if {@link place} was another seller's until now
   */
  enter(seller: string, place: string | undefined): boolean {
    const same = this.#seller === undefined || this.#seller === seller;
    if (!same) this.#load(seller);
    this.#seller = seller;
    this.#place ??= place;
    this.#save();
    return same;
  }

  /** The gateway does not know the place: resume from the beginning, and pass over what is settled. */
  restart(): void {
    this.#place = '0';
    this.#save();
  }

  settle(event: DialerEvent, raised: boolean): void {
    this.#place = event.id;
    this.#settled.add(keyOf(event));
    const { callId } = event.payload;
    if (event.name === 'WIDGET_CALL_ENDED') this.#started.delete(callId);
    else if (raised) this.#started.add(callId);
    this.#save();
  }

  isSettled(event: DialerEvent): boolean {
    return this.#settled.has(keyOf(event));
  }

  isStarted(callId: string): boolean {
    return this.#started.has(callId);
  }

  #load(seller: string): void {
    const { place, settled, started } = fieldsOf(this.#read(`${this.#key} ${seller}`));
    this.#seller = seller;
    this.#place = typeof place === 'string' ? place : undefined;
    this.#settled = new Recent(maxSettled, textsOf(settled));
    this.#started = new Recent(maxStarted, textsOf(started));
  }

  #read(key: string): string {
    return attempt(() => this.#storage?.getItem(key)) ?? '';
  }

  #save(): void {
    const [seller, place, settled, started] = [this.#seller, this.#place, this.#settled, this.#started];
    if (seller === undefined) return;
    attempt(() => {
      this.#storage?.setItem(`${this.#key} ${seller}`, JSON.stringify({ place, settled, started }));
      this.#storage?.setItem(this.#key, seller);
    });
  }
}

/** With the call, since ids begin again where the gateway's event store was lost. */
export function keyOf({ id, name, payload }: DialerEvent): string {
  return `${id} ${name} ${payload.callId}`;
}

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  return attempt(() => JSON.parse(json)) ?? {};
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

/** A full or forbidden storage costs what outlives the page, not the events. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
