// Messages of a call as a RawPeer sends them: one call = one Call-ID and one pair of tags, written out in full.
import { randomBytes } from 'node:crypto';
import { createResponse, Headers, SipRequest, type SipResponse, tagOf } from '@sidestream/sip';
import type { RawPeer } from './raw-peer.js';

export const sdp = (port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=sendrecv\r\n`;

export interface RawCallOptions {
  readonly user?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly branch?: string;
}

/** A call that a RawPeer places to the edge. */
export class RawCall {
  readonly peer: RawPeer;
  readonly callId = `${randomBytes(8).toString('hex')}@test`;
  readonly fromTag = randomBytes(4).toString('hex');
  toTag = '';
  cseq = 0;

  constructor(peer: RawPeer) {
    this.peer = peer;
  }

  get contact(): string {
    const { host, port } = this.peer.address;
    return `<sip:raw@${host}:${port}${this.peer.protocol === 'UDP' ? '' : `;transport=${this.peer.protocol.toLowerCase()}`}>`;
  }

  get dialogId(): string {
    return `${this.callId};from-tag=${this.fromTag}`;
  }

  /** Sends a request with the next CSeq (ACK and CANCEL: that of the INVITE) and returns it. */
  send(method: string, options: RawCallOptions & { cseq?: number } = {}): SipRequest {
    const { peer } = this;
    const { host, port } = peer.address;
    if (options.cseq === undefined) this.cseq += 1;
    const { cseq = this.cseq } = options;
    const branch = options.branch ?? `z9hG4bK${randomBytes(6).toString('hex')}`;
    const user = options.user ?? 'edge';
    const headers = new Headers([
      ['Via', `SIP/2.0/${peer.protocol} ${host}:${port};branch=${branch};rport`],
      ['Max-Forwards', '70'],
      ['From', `"Raw" <sip:raw@${host}>;tag=${this.fromTag}`],
      ['To', `<sip:${user}@${peer.edge.host}>${this.toTag ? `;tag=${this.toTag}` : ''}`],
      ['Call-ID', this.callId],
      ['CSeq', `${cseq} ${method}`],
      ['Contact', this.contact],
    ]);
    if (options.body) headers.append('Content-Type', 'application/sdp');
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
    const uri = `sip:${user}@${peer.edge.host}:${peer.edge.port}`;
    const request = new SipRequest({ method, uri, headers, body: Buffer.from(options.body ?? '') });
    peer.send(request);
    return request;
  }

  /** Places the call and waits for its 200, which it acknowledges. */
  async establish(options: RawCallOptions = {}): Promise<SipResponse> {
    this.send('INVITE', { body: sdp(40_000), ...options });
    // Its own: that of another call may be repeated until its ACK has arrived.
    const answer = await this.peer.response(200, 'INVITE', this.callId);
    this.toTag = tagOf(answer.to) ?? '';
    this.send('ACK', { cseq: answer.cseq.number });
    return answer;
  }
}

/** Answers a request that came to a RawPeer. */
export function answer(
  peer: RawPeer,
  request: SipRequest,
  status: number,
  options: { toTag?: string; headers?: Record<string, string>; body?: string } = {},
): void {
  const headers = new Headers(Object.entries(options.headers ?? {}));
  const { host, port } = peer.address;
  if (request.method === 'INVITE' && status < 300 && !headers.has('Contact'))
    headers.append('Contact', `<sip:raw@${host}:${port}>`);
  if (options.body) headers.append('Content-Type', 'application/sdp');
  const { toTag = 'raw-tag' } = options;
  peer.send(createResponse(request, status, { toTag, headers, body: Buffer.from(options.body ?? '') }));
}
