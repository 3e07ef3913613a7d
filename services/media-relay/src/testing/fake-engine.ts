// A media engine that misbehaves as told. What a good engine does is tested on the real one.
import { SidestreamError } from '@sidestream/service';
import {
  type EngineFork,
  EngineLostSession,
  type EngineState,
  type ForkOffer,
  type MediaEngine,
  type Party,
  type Traffic,
  type VoiceCodec,
} from '../domain/ports.js';

export class FakeEngine implements MediaEngine {
  readonly description = 'fake engine at 127.0.0.1:9';
  readonly held = new Set<string>();
  readonly commands: string[] = [];
  /** Called before every command with its name; what it throws is the command's failure. */
  before: (command: string, session: string, signal: AbortSignal) => Promise<void> | void = () => undefined;
  current: EngineState = 'alive';
  uptime = 100;
  counted: Traffic = {
    parties: [{ party: 'customer', packets: 1, bytes: 172 }],
    voices: { customer: 1, seller: 0 },
    receptions: [],
    forks: new Map(),
  };
  /** How many sessions a list shows. */
  listLimit = 1_000;

  async offer(session: string, _by: Party, sdp: string, _relaying: object, signal: AbortSignal): Promise<string> {
    await this.#do('offer', session, signal);
    this.held.add(session);
    return sdp;
  }

  async answer(session: string, _by: Party, sdp: string, signal: AbortSignal): Promise<string> {
    await this.#do('answer', session, signal);
    return sdp;
  }

  presumeAnswer(session: string, _by: Party, _offered: string, signal: AbortSignal): Promise<void> {
    return this.#do('presumeAnswer', session, signal);
  }

  async offerFork(
    session: string,
    _fork: EngineFork,
    parties: readonly Party[],
    _codec: VoiceCodec | undefined,
    signal: AbortSignal,
  ): Promise<ForkOffer> {
    await this.#do('offerFork', session, signal);
    return { streams: [], refusals: parties.map(() => undefined) };
  }

  answerFork(session: string, _fork: EngineFork, _sdp: string, signal: AbortSignal): Promise<void> {
    return this.#do('answerFork', session, signal);
  }

  stopFork(session: string, _fork: EngineFork, signal: AbortSignal): Promise<void> {
    return this.#do('stopFork', session, signal);
  }

  async traffic(session: string, signal: AbortSignal): Promise<Traffic> {
    await this.#do('traffic', session, signal);
    return this.counted;
  }

  /** Of every session. */
  silence = 0;

  async silentSeconds(session: string, signal: AbortSignal): Promise<number> {
    await this.#do('silentSeconds', session, signal);
    return this.silence;
  }

  async close(session: string, signal: AbortSignal): Promise<void> {
    await this.#do('close', session, signal);
    this.held.delete(session);
  }

  async holds(session: string, signal: AbortSignal): Promise<boolean> {
    await this.#do('holds', session, signal);
    return this.held.has(session);
  }

  async list(): Promise<{ sessions: readonly string[]; remains: readonly string[]; complete: boolean }> {
    const sessions = [...this.held].slice(0, this.listLimit);
    return { sessions, remains: [], complete: this.held.size < this.listLimit };
  }

  async state(): Promise<EngineState> {
    return this.current;
  }

  async uptimeSeconds(): Promise<number> {
    return this.uptime;
  }

  async #do(command: string, session: string, signal: AbortSignal): Promise<void> {
    this.commands.push(`${command} ${session}`);
    await this.before(command, session, signal);
    if (this.current !== 'alive')
      throw new SidestreamError('media-engine-unavailable', `nothing listens at ${this.description}`);
    const creates = command === 'offer' || command === 'close' || command === 'holds';
    if (!creates && !this.held.has(session)) throw new EngineLostSession(session);
  }
}

/** Never settles by itself: what a command does that hangs until it is given up. */
export function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
