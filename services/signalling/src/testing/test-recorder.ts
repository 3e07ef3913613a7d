// A recorder that behaves as a test says, on @sidestream/sip over TLS.
import { once } from 'node:events';
import type { CredentialFiles } from '@sidestream/pki';
import {
  type HostPort,
  type IncomingInvite,
  type IncomingRequest,
  type SipRequest,
  TlsIdentity,
  Transports,
  type UaDialog,
  UserAgent,
} from '@sidestream/sip';

export class TestRecorder {
  readonly invites: IncomingInvite[] = [];
  readonly byes: SipRequest[] = [];
  readonly dialogs: UaDialog[] = [];
  /** Requests outside dialogs but INVITE: OPTIONS. */
  readonly requests: SipRequest[] = [];
  /** Answers OPTIONS, or does not. */
  onOptions: (request: IncomingRequest) => void = (request) => void request.respond(200);
  readonly #transports = new Transports();
  readonly #agent = new UserAgent({ transports: this.#transports, supported: ['siprec'] });
  #address: HostPort = { host: '', port: 0 };

  onInvite: (invite: IncomingInvite, recorder: TestRecorder) => void;

  private constructor(onInvite: (invite: IncomingInvite, recorder: TestRecorder) => void) {
    this.onInvite = onInvite;
    this.#agent.on('invite', (invite) => {
      this.invites.push(invite);
      this.onInvite(invite, this);
    });
    this.#agent.on('request', (request) => {
      this.requests.push(request.request);
      this.onOptions(request);
    });
  }

  static async start(
    files: CredentialFiles,
    onInvite: (invite: IncomingInvite, recorder: TestRecorder) => void,
    at: HostPort = { host: '127.0.0.1', port: 0 },
  ): Promise<TestRecorder> {
    const recorder = new TestRecorder(onInvite);
    const tls = { identity: new TlsIdentity(files), requestClientCertificate: true };
    recorder.#address = await recorder.#transports.listen({ protocol: 'tls', ...at, tls });
    return recorder;
  }

  get port(): number {
    return this.#address.port;
  }

  /** Open ones. */
  get connections(): number {
    return this.#transports.connections;
  }

  /** Name for a recorder list. */
  uri(host = '127.0.0.1'): string {
    return `sip:SRS@${host}:${this.#address.port}`;
  }

  accept(invite: IncomingInvite, sdp: string): UaDialog {
    const dialog = invite.accept({ body: Buffer.from(sdp), contentType: 'application/sdp' });
    this.dialogs.push(dialog);
    dialog.on('bye', (bye) => this.byes.push(bye));
    return dialog;
  }

  /** Resolves with the next request outside dialogs but INVITE. */
  async nextRequest(): Promise<IncomingRequest> {
    const [request] = await once(this.#agent, 'request');
    return request;
  }

  /** Resolves with the next INVITE. */
  async nextInvite(): Promise<IncomingInvite> {
    const [invite] = await once(this.#agent, 'invite');
    return invite;
  }

  get openDialogs(): number {
    return this.#agent.dialogs;
  }

  async close(): Promise<void> {
    await this.#agent.close();
    await this.#transports.close();
  }
}
