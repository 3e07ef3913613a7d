// One leg of a call, and what its peer offers, for tests.
import { EventEmitter, once } from 'node:events';
import type { DialogId, IncomingOffer, Leg, LegHandlers, SipFields } from '../domain/ports.js';

/** Where a leg is: what is held there, and how steps end. */
export interface LegWorld {
  readonly name: string;
  readonly did: string[];
  hold(what: string): void;
  release(what: string): void;
  step(name: string, signal?: AbortSignal): Promise<void>;
}

/** A leg that remembers what was done to it. */
export class FakeLeg implements Leg {
  readonly #world: LegWorld;
  readonly #name: string;
  recordAware = false;
  readonly dialog: DialogId;
  handlers: LegHandlers | undefined;
  readonly reinvites: string[] = [];
  reinviteAnswer = { status: 200, reason: 'OK', sdp: 'answer to re-INVITE' };

  constructor(world: LegWorld, name: string) {
    this.#world = world;
    this.#name = name;
    this.dialog = { sipCallId: `${name}-${world.name}`, localTag: 'ours', remoteTag: 'theirs' };
    world.hold(`leg ${name}`);
  }

  /** Of its answer to INFO. */
  infoStatus = 200;

  listen(handlers: LegHandlers): void {
    this.handlers = handlers;
  }

  async reinvite(sdp: string, signal: AbortSignal) {
    this.reinvites.push(sdp);
    await this.#world.step(`reinvite ${this.#name}`, signal);
    return this.reinviteAnswer;
  }

  async info(_type: string, body: string): Promise<number> {
    this.#world.did.push(`info ${this.#name} ${body}`);
    return this.infoStatus;
  }

  /** Of its answer to REFER, and how it goes on. */
  referStatus = 202;
  referred: ((status: number) => void) | undefined;

  async refer(headers: SipFields, onStatus: (status: number) => void, signal: AbortSignal): Promise<number> {
    this.#world.did.push(`refer ${this.#name} ${String(headers['Refer-To'])}`);
    this.referred = onStatus;
    await this.#world.step(`refer ${this.#name}`, signal);
    return this.referStatus;
  }

  async bye(): Promise<void> {
    this.#world.did.push(`bye ${this.#name}`);
    this.#world.release(`leg ${this.#name}`);
  }

  /** The peer hangs up. */
  hangUp(): void {
    this.#world.release(`leg ${this.#name}`);
    this.handlers?.ended('hangup', 'BYE');
  }
}

/** An offer of a peer within a call, with what it heard. */
export function fakeOffer(sdp: string, ack = ''): IncomingOffer & { heard: Promise<string | number> } {
  const heard = new EventEmitter();
  return {
    sdp,
    answer: async (own) => {
      setImmediate(() => heard.emit('heard', own));
      return ack;
    },
    refuse: (status) => void setImmediate(() => heard.emit('heard', status)),
    heard: once(heard, 'heard').then(([value]) => value),
  };
}
