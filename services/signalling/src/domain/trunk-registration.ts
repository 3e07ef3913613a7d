// One trunk's registration at its carrier (RFC 3261 §10): our contact is made known, renewed before it expires, taken back at the
// end. It knows SIP only through its port.
import { randomUUID } from 'node:crypto';
import { requestUriAt, type Target, type Trunk } from '@sidestream/routing';
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import { compareUri, parseNameAddr, parseUri, splitList } from '@sidestream/sip';
import type { OutgoingRegister, RegisterAnswer, Trunking } from './ports.js';

export interface TrunkRegistrationOptions {
  readonly trunk: Trunk;
  readonly registrars: readonly Target[];
  readonly user: string;
  readonly domain: string;
  readonly expiresSeconds: number;
  readonly trunking: Pick<Trunking, 'register' | 'ownAddress'>;
  readonly log: Logger;
  /** Told each time when the state, or its words for people, change. */
  readonly onState: (state: RegistrationState) => void;
  /** In [0, 1); for tests. */
  readonly random?: () => number;
  /** The first pause after all registrars have failed, in ms; for tests. */
  readonly backOffMs?: number;
}

export interface RegistrationState {
  readonly trunk: Trunk;
  readonly registered: boolean;
  /** Address of the registrar that had our contact last; empty before. */
  readonly registrar: string;
  readonly detail: string;
}

const answerDeadlineMs = 10_000;
const maxBackOffMs = 600_000;
const maxExpiresSeconds = 86_400;
const takeBackDeadlineMs = 2_000;

/** What an answer says: the contact is there for so long, the registrar wants a longer time, or it has refused. */
type Outcome =
  | { readonly kind: 'registered'; readonly seconds: number; readonly source: string }
  | { readonly kind: 'too-brief'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly why: string; readonly retryAfterMs: number };

export class TrunkRegistration {
  readonly #options: TrunkRegistrationOptions;
  readonly #callId = randomUUID();
  readonly #stopped = new AbortController();
  #wake = new AbortController();
  #cseq = 0;
  #seconds: number;
  /** Index of the registrar that is asked first. */
  #current = 0;
  #registered = false;
  #source = '';
  #running: Promise<void> = Promise.resolve();

  constructor(options: TrunkRegistrationOptions) {
    this.#options = options;
    this.#seconds = options.expiresSeconds;
  }

  /** Returns at once; stays registered until stop(). */
  start(): void {
    this.#running = this.#run();
  }

  /** The way to the registrar is there again: what waits for its next try goes at once. */
  wake(): void {
    if (!this.#registered) this.#wake.abort();
  }

  /** Takes the contact back; resolves when that is answered or has taken too long. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    await this.#running;
    if (!this.#registered) return;
    this.#registered = false;
    await this.#ask(this.#current, 0, AbortSignal.timeout(takeBackDeadlineMs));
    this.#tell('stopped');
  }

  async #run(): Promise<void> {
    const { random = Math.random, backOffMs = 5_000 } = this.#options;
    let failures = 0;
    while (!this.#stopped.signal.aborted) {
      const outcome = await this.#register();
      if (this.#stopped.signal.aborted) return;
      this.#wake = new AbortController();
      let pauseMs: number;
      if (outcome.kind === 'registered') {
        failures = 0;
        // Well before it ends, and not all at once with others that began with us.
        pauseMs = outcome.seconds * 1_000 * (0.7 + 0.15 * random());
      } else {
        // Half of it is left to chance (RFC 5626 §4.5).
        const backOff = Math.min(maxBackOffMs, backOffMs * 2 ** failures) * (0.5 + 0.5 * random());
        failures += 1;
        pauseMs = Math.max(backOff, outcome.retryAfterMs);
      }
      await pause(pauseMs, this.#wake.signal);
    }
  }

  /** Asks each registrar once, from the one that was good last. */
  async #register(): Promise<Exclude<Outcome, { kind: 'too-brief' }>> {
    const { registrars } = this.#options;
    let retryAfterMs = Number.POSITIVE_INFINITY;
    let why = '';
    for (let tried = 0; tried < registrars.length; tried += 1) {
      const index = (this.#current + tried) % registrars.length;
      const outcome = await this.#registerAt(index);
      if (this.#stopped.signal.aborted) return { kind: 'failed', why: 'stopped', retryAfterMs: 0 };
      if (outcome.kind === 'registered') {
        this.#current = index;
        this.#registered = true;
        this.#source = outcome.source;
        this.#tell(`for ${outcome.seconds} s at ${registrars[index]?.hostPort}`);
        return outcome;
      }
      why = `${registrars[index]?.hostPort}: ${outcome.why}`;
      retryAfterMs = Math.min(retryAfterMs, outcome.retryAfterMs);
    }
    this.#registered = false;
    this.#tell(why);
    return { kind: 'failed', why, retryAfterMs };
  }

  async #registerAt(index: number): Promise<Exclude<Outcome, { kind: 'too-brief' }>> {
    const outcome = await this.#askWithin(index, this.#seconds);
    if (outcome.kind !== 'too-brief') return outcome;
    // RFC 3261 §10.2.8: once more with the time that it wants.
    this.#seconds = outcome.seconds;
    const again = await this.#askWithin(index, this.#seconds);
    return again.kind === 'too-brief' ? { kind: 'failed', why: '423 twice', retryAfterMs: 0 } : again;
  }

  /** Not longer than a registrar may take, nor than we run. Nothing of it stays: there may be many tries in little time. */
  async #askWithin(index: number, expiresSeconds: number): Promise<Outcome> {
    const limit = new AbortController();
    const giveUp = () => limit.abort(new SidestreamError('deadline-exceeded', 'no answer'));
    const timer = setTimeout(giveUp, answerDeadlineMs);
    this.#stopped.signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await this.#ask(index, expiresSeconds, limit.signal);
    } finally {
      clearTimeout(timer);
      this.#stopped.signal.removeEventListener('abort', giveUp);
    }
  }

  async #ask(index: number, expiresSeconds: number, signal: AbortSignal): Promise<Outcome> {
    const { trunk, registrars, user, domain, trunking } = this.#options;
    const registrar = registrars[index];
    if (registrar === undefined) return { kind: 'failed', why: 'no registrar', retryAfterMs: 0 };
    const { protocol } = registrar;
    const own: Target = { ...registrar, hostPort: trunking.ownAddress(protocol) };
    const register: OutgoingRegister = {
      trunk: trunk.name,
      registrar: requestUriAt(registrar, ''),
      protocol,
      address: `sip:${user}@${domain}`,
      contact: requestUriAt(own, user),
      expiresSeconds,
      callId: this.#callId,
      nextCseq: () => {
        this.#cseq += 1;
        return this.#cseq;
      },
    };
    try {
      return outcomeOf(await trunking.register(register, signal), register);
    } catch (error) {
      return { kind: 'failed', why: error instanceof Error ? error.message : String(error), retryAfterMs: 0 };
    }
  }

  #tell(detail: string): void {
    const { trunk, log, onState } = this.#options;
    const registered = this.#registered;
    const of = { trunk: trunk.name, detail };
    if (registered) log.info(of, 'a trunk is registered');
    else if (!this.#stopped.signal.aborted) log.warn(of, 'a trunk is not registered');
    onState({ trunk, registered, registrar: this.#source, detail });
  }
}

function outcomeOf(answer: RegisterAnswer, { contact, expiresSeconds }: OutgoingRegister): Outcome {
  const { status, reason, source } = answer;
  if (status < 300) {
    const seconds = expiresOf(answer, contact) ?? secondsIn(answer.header('expires')) ?? expiresSeconds;
    return { kind: 'registered', seconds: Math.min(Math.max(seconds, 1), maxExpiresSeconds), source };
  }
  const wanted = secondsIn(answer.header('min-expires'));
  if (status === 423 && wanted !== undefined && wanted > expiresSeconds && wanted <= maxExpiresSeconds)
    return { kind: 'too-brief', seconds: wanted };
  const retryAfterMs = Math.min((secondsIn(answer.header('retry-after')) ?? 0) * 1_000, maxBackOffMs);
  return { kind: 'failed', why: `${status} ${reason}`.trimEnd(), retryAfterMs };
}

/** How long our contact is known, among all that a registrar knows of the address (RFC 3261 §10.2.4). */
function expiresOf(answer: RegisterAnswer, contact: string): number | undefined {
  for (const value of splitList(answer.header('contact') ?? '')) {
    try {
      const { uri, parameters } = parseNameAddr(value);
      if (compareUri(parseUri(uri), parseUri(contact))) return secondsIn(parameters.get('expires') ?? undefined);
    } catch {
      // A contact of somebody else's that can't be read.
    }
  }
  return undefined;
}

function secondsIn(text: string | undefined): number | undefined {
  const [, digits] = /^\s*(\d{1,9})/.exec(text ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
