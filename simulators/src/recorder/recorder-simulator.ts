/**
 * A SIPREC recorder (SRS) for integrators and tests: SIPS with mutual TLS in front, a RecorderSession behind each INVITE.
 * It owns the SIP side; media and files are the session's.
 */
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Headers,
  type HostPort,
  type IncomingInvite,
  type IncomingRequest,
  serialiseMessage,
  type UaDialog,
} from '@sidestream/sip';
import { type Behaviour, type Decision, wellBehaved } from './behaviour/behaviour.js';
import { refreshSession } from './behaviour/initiatives.js';
import { liveSession } from './behaviour/live-session.js';
import type { Finding } from './finding.js';
import { PortSource } from './port-source.js';
import { agreedTimer, recorderContact, timerHeaders } from './recorder-answer.js';
import { RecorderListener } from './recorder-listener.js';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder-options.js';
import { RecorderSession, type SessionEnd } from './recorder-session.js';

/** What the recorder tells. */
export interface RecorderEvents {
  /** A session was answered 200; its streams are open. */
  session: [session: RecorderSession];
  /** A session is over and its files are complete. */
  ended: [session: RecorderSession, end: SessionEnd];
  /** A message deviates from the profile or an RFC, or a medium from its offer; without a session when a message could not be read at all. */
  finding: [finding: Finding, session: RecorderSession | undefined];
  /** A connection was refused, mostly by TLS: no client certificate, another authority. */
  refused: [remote: HostPort, reason: string];
  /** A session failed on our side, such as a folder that cannot be written. */
  problem: [error: unknown];
}

/** See the module's head; start with {@link RecorderSimulator.start}. */
export class RecorderSimulator extends EventEmitter<RecorderEvents> {
  /** Where it listens. */
  readonly address: HostPort;
  /** Sessions since the start, the newest last, 1,000 at most. */
  readonly sessions: RecorderSession[] = [];
  readonly #options: RecorderOptions;
  readonly #ports = new PortSource(() => this.#behaviour.networkDelayMs ?? 0);
  readonly #active = new Set<RecorderSession>();
  readonly #closing = new AbortController();
  #behaviour: Behaviour;
  #listener: RecorderListener | undefined;
  #opening = 0;
  #latest: Buffer | undefined;
  #restart: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: RecorderOptions, address: HostPort) {
    super();
    this.#options = options;
    this.#behaviour = options.behaviour ?? wellBehaved;
    this.address = address;
  }

  /** Listens. Rejects with SipError when the certificate cannot be used, with the system's error when the address is taken. */
  static async start(options: RecorderOptions): Promise<RecorderSimulator> {
    let recorder: RecorderSimulator | undefined;
    const behaviour = () => recorder?.behaviour ?? options.behaviour ?? wellBehaved;
    const listener = await RecorderListener.open(options, behaviour);
    recorder = new RecorderSimulator(options, listener.address);
    recorder.#attach(listener);
    if (recorder.behaviour.instant === true) await recorder.#preparePorts();
    return recorder;
  }

  /** How INVITEs from now on are treated. */
  get behaviour(): Behaviour {
    return this.#behaviour;
  }

  set behaviour(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    if (behaviour.instant === true) this.#run(this.#preparePorts());
  }

  /** Sessions that have not ended. */
  get active(): number {
    return this.#active.size;
  }

  /** Dies without a word and comes back after `downMs` at the same address, having forgotten every dialog. */
  restart(downMs: number): Promise<void> {
    this.#restart ??= this.#comeBack(downMs).finally(() => {
      this.#restart = undefined;
    });
    return this.#restart;
  }

  /** Ends every session by BYE (waiting a second at most), then the listener; idempotent. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#closing.abort();
      await this.#restart?.catch(() => undefined);
      await Promise.all([...this.#active].map((session) => session.bye(1_000)));
      await this.#listener?.close();
      await this.#ports.close();
    })();
    return this.#closed;
  }

  async #comeBack(downMs: number): Promise<void> {
    await this.#listener?.close();
    // A recorder that is closed meanwhile needs not come back.
    await delay(downMs, undefined, { signal: this.#closing.signal });
    this.#attach(await RecorderListener.open(this.#options, () => this.behaviour, this.address.port));
  }

  #attach(listener: RecorderListener): void {
    this.#listener = listener;
    listener.onRefused((remote, reason) => this.emit('refused', remote, reason));
    // Messages are handled as they come, so while a BYE is announced these are its bytes.
    listener.onMessage((bytes) => {
      this.#latest = bytes;
    });
    listener.agent.on('malformed', (error) => {
      this.emit('finding', { name: 'malformed-message', where: 'SIP', text: error.message }, undefined);
    });
    listener.agent.on('invite', (invite) => this.#run(this.#onInvite(invite, listener)));
  }

  async #preparePorts(): Promise<void> {
    await this.#ports.prepare(this.#options.mediaHost ?? this.address.host);
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => this.emit('problem', error));
  }

  async #onInvite(invite: IncomingInvite, listener: RecorderListener): Promise<void> {
    const limit = this.#options.maxSessions ?? RECORDER_DEFAULTS.maxSessions;
    if (this.#active.size + this.#opening >= limit || this.#closing.signal.aborted) {
      await invite.respond(503, { headers: new Headers([['Retry-After', '5']]) });
      return;
    }
    this.#opening += 1;
    try {
      await this.#open(invite, listener);
    } catch (error) {
      await invite.respond(500);
      throw error;
    } finally {
      this.#opening -= 1;
      if (this.behaviour.instant === true) await this.#preparePorts();
    }
  }

  async #open(invite: IncomingInvite, listener: RecorderListener): Promise<void> {
    const { behaviour } = this;
    const { remote, local } = listener.connectionOf(invite.flow);
    const session = await RecorderSession.create({
      request: invite.request,
      peer: { address: remote.host, tls: invite.flow.tls },
      localAddress: local.host,
      openPorts: (host) => this.#ports.take(host),
      options: this.#options,
      onFinding: (finding, from) => this.emit('finding', finding, from),
    });
    this.#active.add(session);
    try {
      const dialog = await this.#answer(invite, session, behaviour, recorderContact(invite, local));
      if (dialog === undefined) {
        await session.finish('error');
        return;
      }
      this.#follow(session, dialog);
      this.sessions.push(session);
      if (this.sessions.length > 1_000) this.sessions.shift();
      this.emit('session', session);
      this.#live(session, dialog, behaviour, invite, listener);
    } catch (error) {
      await session.finish('error');
      throw error;
    } finally {
      if (session.endedAt !== undefined) this.#active.delete(session);
    }
  }

  /** Answers an INVITE or re-INVITE as the behaviour wants it; undefined when it was not accepted. */
  async #answer(
    invite: IncomingInvite,
    session: RecorderSession,
    behaviour: Behaviour,
    contact?: string,
  ): Promise<UaDialog | undefined> {
    const answer = await session.answer(invite.request, invite.bytes, behaviour);
    const signal = AbortSignal.any([invite.signal, this.#closing.signal]);
    const initial = invite.dialog === undefined;
    const decision = await behaviour.beforeAnswer?.({ initial, signal, request: invite.request });
    if (signal.aborted) return undefined;
    const verdict = decision ?? (answer === undefined ? { status: 488 } : undefined);
    if (verdict === undefined) {
      const headers = timerHeaders(invite.request, behaviour.sessionTimer);
      return invite.accept({ ...answer, headers, contact });
    }
    await this.#refuse(invite, verdict);
    return undefined;
  }

  async #refuse(request: IncomingInvite | IncomingRequest, decision: Decision): Promise<void> {
    if (decision === 'reset') this.#listener?.reset(request.flow);
    if (decision === 'silence' || decision === 'reset') return;
    const { status, reason, headers } = decision;
    await request.respond(status, { reason, headers: new Headers(headers ?? []) });
  }

  async #onReinvite(invite: IncomingInvite, session: RecorderSession): Promise<void> {
    try {
      await this.#answer(invite, session, this.behaviour);
    } catch (error) {
      await invite.respond(500);
      throw error;
    }
  }

  /** UPDATE with an offer or metadata, or both; OPTIONS and INFO, which say nothing that matters here. */
  async #onRequest(incoming: IncomingRequest, session: RecorderSession): Promise<void> {
    const { request, bytes } = incoming;
    if (request.method !== 'UPDATE') {
      await incoming.respond(request.method === 'OPTIONS' || request.method === 'INFO' ? 200 : 501);
      return;
    }
    const headers = timerHeaders(request, this.behaviour.sessionTimer);
    const answer = await session.update(request, bytes, this.behaviour);
    await incoming.respond(200, { ...answer, headers });
  }

  #follow(session: RecorderSession, dialog: UaDialog): void {
    dialog.on('reinvite', (invite) => this.#run(this.#onReinvite(invite, session)));
    dialog.on('request', (request) => this.#run(this.#onRequest(request, session)));
    dialog.on('bye', (bye) => {
      const bytes = this.#latest?.subarray(0, 4).toString('latin1') === 'BYE ' ? this.#latest : serialiseMessage(bye);
      session.receivedBye(bytes);
    });
    dialog.on('ended', (reason) => {
      const end = reason === 'remote' ? 'client' : reason === 'local' ? 'recorder' : 'error';
      this.#run(
        session
          .finish(end)
          .then(() => session.ended)
          .then((by) => {
            this.emit('ended', session, by);
          })
          .finally(() => this.#active.delete(session)),
      );
    });
    session.established(dialog);
  }

  /** Lets the behaviour act from now on. */
  #live(
    session: RecorderSession,
    dialog: UaDialog,
    behaviour: Behaviour,
    { request }: IncomingInvite,
    listener: RecorderListener,
  ): void {
    const live = liveSession(
      {
        bye: () => session.bye(),
        reinvite: (reoffer) => session.reinvite(reoffer),
        request: (method, content) => session.request(method, content),
        stopMedia: () => session.stopMedia(),
        resetConnection: () => {
          if (dialog.flow !== undefined) listener.reset(dialog.flow);
        },
        restartRecorder: (downMs) => this.restart(downMs),
      },
      session.signal,
    );
    const timer = behaviour.sessionTimer === undefined ? agreedTimer(request, undefined) : undefined;
    // RFC 4028 §10: whoever agreed to refresh does so at half of the interval.
    if (timer?.weRefresh === true) refreshSession(timer.seconds * 500).answered?.(live);
    behaviour.answered?.(live);
  }
}
