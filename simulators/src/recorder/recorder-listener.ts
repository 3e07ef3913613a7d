/**
 * The recorder's SIP stack from the TCP listener to the user agent, as one thing that can be taken down and put up again. It
 * knows what a behaviour says about connections and unanswered requests, and nothing of sessions.
 */
import { type Flow, type HostPort, TlsIdentity, Transports, UserAgent } from '@sidestream/sip';
import { traceMessages } from '../message-trace.js';
import { TcpFront } from '../network/tcp-front.js';
import type { Behaviour } from './behaviour/behaviour.js';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder-options.js';
import { ScreenedTransports } from './screened-transports.js';

const INNER_HOST = '127.0.0.1';

/** See the module's head; start with {@link RecorderListener.open}. */
export class RecorderListener {
  readonly agent: UserAgent;
  readonly address: HostPort;
  readonly #transports: Transports;
  readonly #front: TcpFront;

  private constructor(transports: Transports, front: TcpFront, behaviour: () => Behaviour) {
    this.#transports = transports;
    this.#front = front;
    this.address = front.address;
    const screened = new ScreenedTransports(
      transports,
      () => behaviour().screen,
      (flow) => this.reset(flow),
    );
    this.agent = new UserAgent({
      transports: screened,
      product: 'Sidestream-recorder-simulator',
      supported: ['siprec', 'timer'],
    });
  }

  /**
   * Listens.
   * @param behaviour asked for whenever it matters
   * @param port instead of that of the options
   * @throws SipError when the certificate cannot be used, the system's error when the address is taken
   */
  static async open(
    options: RecorderOptions,
    behaviour: () => Behaviour,
    port = options.port ?? RECORDER_DEFAULTS.port,
  ): Promise<RecorderListener> {
    const transports = new Transports({
      keepAliveMs: 0,
      answersPings: () => behaviour().answersPings !== false,
    });
    if (options.onMessage !== undefined) traceMessages(transports, options.onMessage);
    try {
      const inner = await transports.listen({
        protocol: 'tls',
        host: INNER_HOST,
        port: 0,
        tls: {
          identity: new TlsIdentity(options.tls),
          requestClientCertificate: options.requestClientCertificate ?? true,
        },
      });
      const front = await TcpFront.open({
        host: options.host ?? RECORDER_DEFAULTS.host,
        port,
        inner,
        delayMs: () => behaviour().networkDelayMs ?? 0,
        admits: () => behaviour().admitsConnections !== false,
        frozen: () => behaviour().frozen?.() ?? false,
      });
      return new RecorderListener(transports, front, behaviour);
    } catch (error) {
      await transports.close();
      throw error;
    }
  }

  /** Hears of each message's bytes before the user agent does. */
  onMessage(listener: (bytes: Buffer) => void): void {
    this.#transports.prependListener('message', listener);
  }

  /** Hears of connections that TLS has refused. */
  onRefused(listener: (remote: HostPort, reason: string) => void): void {
    this.#transports.on('refused', ({ host, port }, _protocol, _because, detail) =>
      listener(this.#front.clientAt(port)?.remote ?? { host, port }, detail),
    );
  }

  /** Both ends of a client's connection as the client sees them. */
  connectionOf({ remote, local }: Flow): { remote: HostPort; local: HostPort } {
    return this.#front.clientAt(remote.port) ?? { remote, local };
  }

  /** Resets the connection of this flow. */
  reset(flow: Flow): void {
    this.#front.reset(flow.remote.port);
  }

  /** Ends everything without a word to anybody, as a process that dies. */
  async close(): Promise<void> {
    await this.agent.close();
    await this.#front.close();
    await this.#transports.close();
  }
}
