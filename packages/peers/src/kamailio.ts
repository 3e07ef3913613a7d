/** Debian's Kamailio on loopback: an independent SIP server over UDP, TCP and TLS. What it does is the caller's script. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Peer, PeerResult } from './peer.js';
import { freeTcpPort } from './ports.js';
import { resolvePeer } from './resolve.js';

const HOST = '127.0.0.1';

/** A Kamailio and where it listens. */
export interface KamailioPeer extends Peer<'kamailio'> {
  readonly host: string;
  /** For UDP and TCP. */
  readonly port: number;
  readonly tlsPort: number;
}

/** PEM texts. Kamailio shows the certificate both ways, and demands one that `trust` has signed both ways. */
export interface KamailioTls {
  readonly certificate: string;
  readonly key: string;
  readonly trust: string;
}

/** What Kamailio is to do. */
export interface KamailioOptions {
  /** Further modules and their parameters, and a `route[WORK]` that gets every request. Default: it answers nothing. */
  script?: string;
  /** Without it nothing listens at `tlsPort`. */
  tls?: KamailioTls;
  startTimeoutMs?: number;
}

function tlsLines(tlsPort: number): string {
  return `enable_tls=yes
listen=tls:${HOST}:${tlsPort}
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "own.crt")
modparam("tls", "private_key", "own.key")
modparam("tls", "ca_list", "trust.crt")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
`;
}

function configuration(port: number, tlsPort: number, { script, tls }: KamailioOptions): string {
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
listen=udp:${HOST}:${port}
listen=tcp:${HOST}:${port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
${tls === undefined ? '' : tlsLines(tlsPort)}
request_route {
  if (method == "OPTIONS" && $rU == "readiness") { sl_send_reply("200", "Ready"); exit; }
  route(WORK);
}
${script ?? 'route[WORK] { exit; }'}
`;
}

/** An OPTIONS that the configuration answers itself. */
function readiness(protocol: 'UDP' | 'TCP', from: number, to: number): string {
  return [
    `OPTIONS sip:readiness@${HOST}:${to} SIP/2.0`,
    `Via: SIP/2.0/${protocol} ${HOST}:${from};branch=z9hG4bK${from}`,
    'Max-Forwards: 1',
    `From: <sip:probe@${HOST}>;tag=probe`,
    `To: <sip:readiness@${HOST}>`,
    `Call-ID: readiness-${from}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0\r\n\r\n',
  ].join('\r\n');
}

function assertReady(answer: unknown): void {
  if (!String(answer).startsWith('SIP/2.0 200 ')) throw new Error('unexpected answer to OPTIONS');
}

/** Over UDP and over TCP, whose processes are the last to start: a signal before that can hang Kamailio for ever. */
async function probe(port: number, signal: AbortSignal): Promise<void> {
  const udp = createSocket('udp4');
  const tcp = connect(port, HOST);
  try {
    await once(tcp, 'connect', { signal });
    tcp.write(readiness('TCP', tcp.localPort ?? 0, port));
    assertReady((await once(tcp, 'data', { signal }))[0]);
    udp.connect(port, HOST);
    await once(udp, 'connect', { signal });
    udp.send(readiness('UDP', udp.address().port, port));
    assertReady((await once(udp, 'message', { signal }))[0]);
  } finally {
    tcp.destroy();
    udp.close();
  }
}

/** Starts Kamailio with a script; there is none in the environment, as what it does is the test's. */
export async function startKamailio(options: KamailioOptions = {}): Promise<PeerResult<KamailioPeer>> {
  return await resolvePeer({
    kind: 'kamailio',
    startTimeoutMs: options.startTimeoutMs,
    fixedPorts: false,
    environment: undefined,
    recipe: async () => {
      const details = { host: HOST, port: await freeTcpPort(HOST), tlsPort: await freeTcpPort(HOST) };
      const { certificate = '', key = '', trust = '' } = options.tls ?? {};
      return {
        name: 'kamailio',
        command: 'kamailio',
        image: 'ghcr.io/kamailio/kamailio:5.6.3-bookworm',
        files: {
          'kamailio.cfg': configuration(details.port, details.tlsPort, options),
          ...(options.tls === undefined ? {} : { 'own.crt': certificate, 'own.key': key, 'trust.crt': trust }),
        },
        // In the foreground, but with its processes; 32 MB shared and 4 MB of each process's own.
        args: (directory) => [
          '-f',
          `${directory}/kamailio.cfg`,
          '-DD',
          '-E',
          '-m',
          '32',
          '-M',
          '4',
          '-w',
          directory,
          '-Y',
          directory,
        ],
        family: true,
        probe: async (signal) => {
          await probe(details.port, signal);
          return details;
        },
      };
    },
  });
}
