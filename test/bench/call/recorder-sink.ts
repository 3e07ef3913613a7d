// A recorder that takes every recording at once and keeps nothing: SIPS with mutual TLS, an SAVP answer with fresh keys,
// no media. It counts what began and what ended, so that an orphan shows.
import { randomBytes } from 'node:crypto';
import { type IncomingInvite, type TlsIdentity, Transports, UserAgent } from '@sidestream/sip';
import { bodyParts } from '@sidestream/siprec';

export class RecorderSink {
  started = 0;
  ended = 0;
  readonly #transports: Transports;
  readonly #agent: UserAgent;

  private constructor(transports: Transports) {
    this.#transports = transports;
    this.#agent = new UserAgent({ transports, supported: ['siprec'] });
    this.#agent.on('invite', (invite) => this.#accept(invite));
  }

  static async start(port: number, identity: TlsIdentity): Promise<RecorderSink> {
    const transports = new Transports({ keepAliveMs: 0 });
    await transports.listen({
      protocol: 'tls',
      host: '127.0.0.1',
      port,
      tls: { identity, requestClientCertificate: true },
    });
    return new RecorderSink(transports);
  }

  async close(): Promise<void> {
    await this.#agent.close();
    await this.#transports.close();
  }

  #accept(invite: IncomingInvite): void {
    const { headers, body } = invite.request;
    const offer = bodyParts(headers.get('Content-Type') ?? '', body).find(
      ({ mediaType }) => mediaType === 'application/sdp',
    );
    if (offer === undefined) return void invite.respond(488);
    const dialog = invite.accept({ contentType: 'application/sdp', body: answerTo(offer.body.toString()) });
    this.started += 1;
    dialog.on('bye', () => {
      this.ended += 1;
    });
  }
}

/** Accepts every stream with PCMU under a key of its own (RFC 3264 §6, RFC 4568 §5.1.3). */
function answerTo(offer: string): string {
  const [, ...sections] = offer.split(/^(?=m=)/m);
  const media = sections.map((section) => {
    const label = /^a=label:.*$/m.exec(section)?.[0].trim() ?? '';
    const crypto = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString('base64')}`;
    return ['m=audio 40000 RTP/SAVP 0', 'a=rtpmap:0 PCMU/8000', 'a=recvonly', label, crypto];
  });
  const session = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  return `${[...session, ...media.flat()].join('\r\n')}\r\n`;
}
