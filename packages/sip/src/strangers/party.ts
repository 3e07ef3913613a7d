// For tests: a user agent of ours with a listener on loopback, of one transport, that is closed whatever the test does.
import assert from 'node:assert/strict';
import { formatHostPort } from '../message/host.js';
import { parseMessage } from '../message/parse-message.js';
import type { HostPort, Target, TransportProtocol } from '../transport/flow.js';
import type { TlsIdentity } from '../transport/tls-identity.js';
import { Transports } from '../transport/transports.js';
import { UserAgent } from '../user-agent/user-agent.js';
import { Crossed } from './crossed.js';

export interface Party {
  readonly agent: UserAgent;
  readonly address: HostPort;
  /** URI and Contact that lead to the listener. */
  readonly uri: string;
  readonly contact: string;
  /** What it has sent and received. */
  readonly crossed: Crossed;
  /** Whose certificate was seen on the connections that brought it something. */
  readonly peers: ReadonlySet<string | undefined>;
  /** Where a server is, over this party's transport. */
  at(server: HostPort): Target;
}

export const sdp = {
  body: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n',
  contentType: 'application/sdp',
};

/**
 * Runs `work` with a party that knows reliable provisional responses; afterwards no dialog and no transaction may be left.
 * @param identity for TLS, on both sides demanded
 */
export async function withParty(
  protocol: TransportProtocol,
  identity: TlsIdentity | undefined,
  work: (party: Party) => Promise<void>,
): Promise<void> {
  const transports = new Transports();
  const tls = identity && { identity, requestClientCertificate: true };
  const address = await transports.listen({ protocol, host: '127.0.0.1', port: 0, tls });
  const agent = new UserAgent({ transports, supported: ['100rel'] });
  const crossed = new Crossed();
  const peers = new Set<string | undefined>();
  transports.on('message', (bytes, { tls }) => {
    peers.add(tls?.peerSubject);
    note(crossed, 'received', bytes);
  });
  transports.on('sent', (bytes) => note(crossed, 'sent', bytes));
  const uri = `sip:party@${formatHostPort(address.host, address.port)};transport=${protocol}`;
  try {
    await work({
      agent,
      address,
      uri,
      contact: `<${uri}>`,
      crossed,
      peers,
      at: ({ host, port }) => ({ protocol, host, port, ...(identity === undefined ? {} : { identity }) }),
    });
    assert.equal(agent.dialogs, 0);
  } finally {
    await agent.close();
    await transports.close();
  }
  assert.equal(agent.transactions, 0);
}

/** A deadline for whatever comes from a stranger. */
export function soon(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(10_000) };
}

function note(crossed: Crossed, which: 'sent' | 'received', bytes: Buffer): void {
  const { headers } = parseMessage(bytes);
  crossed.note(which, String(bytes.subarray(0, bytes.indexOf('\r\n'))), headers.get('CSeq') ?? '');
}
