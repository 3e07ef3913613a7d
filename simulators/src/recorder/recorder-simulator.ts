/**
 * A SIPREC recorder (SRS) for integrators and tests: SIPS with mutual TLS in front, a RecorderSession behind each INVITE.
 * It owns the SIP side; media and files are the session's.
 */
import { EventEmitter } from 'node:events';
import {
  formatHostPort,
  Headers,
  type HostPort,
  type IncomingInvite,
  serialiseMessage,
  TlsIdentity,
  Transports,
  type UaDialog,
  UserAgent,
} from '@sidestream/sip';
import { traceMessages } from '../message-trace.js';
import { type Behaviour, wellBehaved } from './behaviour.js';
import type { Finding } from './finding.js';
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
  /** How INVITEs from now on are treated. */
  behaviour: Behaviour;
  readonly #options: RecorderOptions;
  readonly #transports: Transports;
  readonly #agent: UserAgent;
  readonly #active = new Set<RecorderSession>();
  readonly #closing = new AbortController();
  #opening = 0;
  #latest: Buffer | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: RecorderOptions, transports: Transports, address: HostPort) {
    super();
    this.#options = options;
    this.behaviour = options.behaviour ?? wellBehaved;
    this.address = address;
    this.#transports = transports;
    transports.on('refused', (remote, _protocol, reason) => this.emit('refused', remote, reason));
    // Messages are handled as they come, so while a BYE is announced these are its bytes.
    transports.on('message', (bytes) => {
      this.#latest = bytes;
    });
    this.#agent = new UserAgent({ transports, product: 'Sidestream-recorder-simulator', supported: ['siprec'] });
    this.#agent.on('malformed', (error) => {
      this.emit('finding', { name: 'malformed-message', where: 'SIP', text: error.message }, undefined);
    });
    this.#agent.on('invite', (invite) => this.#run(this.#onInvite(invite)));
  }

  /** Listens. Rejects with SipError when the certificate cannot be used or the address is taken. */
  static async start(options: RecorderOptions): Promise<RecorderSimulator> {
    const transports = new Transports({ keepAliveMs: 0 });
    if (options.onMessage !== undefined) traceMessages(transports, options.onMessage);
    try {
      const address = await transports.listen({
        protocol: 'tls',
        host: options.host ?? RECORDER_DEFAULTS.host,
        port: options.port ?? RECORDER_DEFAULTS.port,
        tls: {
          identity: new TlsIdentity(options.tls),
          requestClientCertificate: options.requestClientCertificate ?? true,
        },
      });
      return new RecorderSimulator(options, transports, address);
    } catch (error) {
      await transports.close();
      throw error;
    }
  }

  /** Sessions that have not ended. */
  get active(): number {
    return this.#active.size;
  }

  /** Ends every session by BYE (waiting a second at most), then the listener; idempotent. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#closing.abort();
      await Promise.all([...this.#active].map((session) => session.bye(1_000)));
      await this.#agent.close();
      await this.#transports.close();
    })();
    return this.#closed;
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => this.emit('problem', error));
  }

  async #onInvite(invite: IncomingInvite): Promise<void> {
    const limit = this.#options.maxSessions ?? RECORDER_DEFAULTS.maxSessions;
    if (this.#active.size + this.#opening >= limit || this.#closing.signal.aborted) {
      await invite.respond(503, { headers: new Headers([['Retry-After', '5']]) });
      return;
    }
    this.#opening += 1;
    try {
      await this.#open(invite);
    } catch (error) {
      await invite.respond(500);
      throw error;
    } finally {
      this.#opening -= 1;
    }
  }

  async #open(invite: IncomingInvite): Promise<void> {
    const { behaviour } = this;
    const session = await RecorderSession.create({
      request: invite.request,
      peer: { address: invite.flow.remote.host, tls: invite.flow.tls },
      localAddress: invite.flow.local.host,
      options: this.#options,
      onFinding: (finding, from) => this.emit('finding', finding, from),
    });
    this.#active.add(session);
    try {
      const dialog = await this.#answer(invite, session, behaviour, true);
      if (dialog === undefined) {
        await session.finish('error');
        return;
      }
      this.#follow(session, dialog);
      this.sessions.push(session);
      if (this.sessions.length > 1_000) this.sessions.shift();
      this.emit('session', session);
      behaviour.answered?.({ initial: true, bye: () => session.bye() });
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
    initial: boolean,
  ): Promise<UaDialog | undefined> {
    const answer = await session.answer(invite.bytes, behaviour);
    const signal = AbortSignal.any([invite.signal, this.#closing.signal]);
    const decision = await behaviour.beforeAnswer?.({ initial, signal });
    if (decision === 'silence' || signal.aborted) return undefined;
    if (decision !== undefined) {
      const { status, reason, headers } = decision;
      await invite.respond(status, { reason, headers: new Headers(headers ?? []) });
      return undefined;
    }
    if (answer === undefined) {
      await invite.respond(488);
      return undefined;
    }
    const { host, port } = invite.flow.local;
    // RFC 3261 §12.1.1: whoever is called by sips: says sips: too.
    const uri = /^sips:/i.test(invite.request.uri)
      ? `sips:SRS@${formatHostPort(host, port)}`
      : `sip:SRS@${formatHostPort(host, port)};transport=${invite.flow.protocol}`;
    const contact = `<${uri}>;+sip.srs`;
    return invite.accept({ ...answer, contact });
  }

  async #onReinvite(invite: IncomingInvite, session: RecorderSession): Promise<void> {
    const { behaviour } = this;
    try {
      const dialog = await this.#answer(invite, session, behaviour, false);
      if (dialog !== undefined) behaviour.answered?.({ initial: false, bye: () => session.bye() });
    } catch (error) {
      await invite.respond(500);
      throw error;
    }
  }

  #follow(session: RecorderSession, dialog: UaDialog): void {
    dialog.on('reinvite', (invite) => this.#run(this.#onReinvite(invite, session)));
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
}
