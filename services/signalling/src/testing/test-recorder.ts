// A recorder that behaves as a test says, on @sidestream/sip over TLS.
import { once } from 'node:events';
import type { CredentialFiles } from '@sidestream/pki';
import {
  type HostPort,
  type IncomingInvite,
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
  readonly #transports = new Transports();
  readonly #agent = new UserAgent({ transports: this.#transports, supported: ['siprec'] });
  #address: HostPort = { host: '', port: 0 };

  private constructor(onInvite: (invite: IncomingInvite, recorder: TestRecorder) => void) {
    this.#agent.on('invite', (invite) => {
      this.invites.push(invite);
      onInvite(invite, this);
    });
  }

  static async start(
    files: CredentialFiles,
    onInvite: (invite: IncomingInvite, recorder: TestRecorder) => void,
  ): Promise<TestRecorder> {
    const recorder = new TestRecorder(onInvite);
    const tls = { identity: new TlsIdentity(files), requestClientCertificate: true };
    recorder.#address = await recorder.#transports.listen({ protocol: 'tls', host: '127.0.0.1', port: 0, tls });
    return recorder;
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
