/**
 * What a recorder has got, over HTTP, for whoever wants to know from elsewhere whether a call arrived: `sidestream test-call`, probes.
 * Figures and fingerprints of packets alone: no voice, no key, no metadata.
 */
import { z } from 'zod';
import { type Page, PageServer, plain } from '../pages/page-server.js';
import { fingerprint } from '../rtp/packet-fingerprint.js';
import type { RtpPacket } from '../rtp/rtp-packet.js';
import type { RecorderSession } from './recorder-session.js';
import type { RecorderSimulator } from './recorder-simulator.js';

/** Sessions in one answer, the newest. */
const maxSessions = 100;
/** Packets of a stream in one answer, the newest: two minutes. */
const maxPackets = 6_000;

const sessionStatus = z.object({
  callId: z.string(),
  /** Milliseconds since the epoch, by the recorder's clock. */
  startedAt: z.number(),
  /** Null while it lives. */
  endedAt: z.number().nullable(),
  from: z.string(),
  /** Of the connection: empty where there is no TLS to tell of. */
  tlsVersion: z.string(),
  clientSubject: z.string(),
  streams: z.array(
    z.object({ label: z.string(), received: z.int(), lost: z.int(), authFailures: z.int(), inClear: z.int() }),
  ),
  findings: z.array(z.string()),
});

/** The answer of `GET /sessions`: the oldest first. */
export const sessionsAnswer = z.object({ sessions: z.array(sessionStatus) });

/** A packet's sequence number, timestamp, payload type, marker, and the digest of its payload in hex. */
const packet = z.tuple([z.int(), z.int(), z.int(), z.boolean(), z.string()]);

/** The answer of `GET /sessions/<Call-ID>/packets`. A session that was set up anew keeps its Call-ID: it is all there. */
export const streamsAnswer = z
  .object({ streams: z.array(z.object({ label: z.string(), packets: z.array(packet) })) })
  .transform(({ streams }): StreamPackets[] =>
    streams.map(({ label, packets }) => ({
      label,
      packets: packets.map(([sequenceNumber, timestamp, payloadType, marker, digest]) => ({
        ...{ sequenceNumber, timestamp, payloadType, marker, ssrc: 0 },
        payload: Buffer.from(digest, 'hex'),
      })),
    })),
  );

export type SessionStatus = z.infer<typeof sessionStatus>;

/** Fingerprints of a stream's packets, in the order of arrival. */
export interface StreamPackets {
  readonly label: string;
  readonly packets: readonly RtpPacket[];
}

/** See the module's head; start with {@link RecorderStatus.start}. */
export class RecorderStatus {
  readonly #server: PageServer;

  private constructor(server: PageServer) {
    this.#server = server;
  }

  /** Rejects with the system's error when the port is taken. */
  static async start(recorder: RecorderSimulator, at: { host?: string; port?: number } = {}): Promise<RecorderStatus> {
    const server = await PageServer.start({
      ...at,
      policy: () => "default-src 'none'",
      routes: {
        'GET /livez': () => plain(200, 'ok\n'),
        'GET /sessions': () => ({
          body: JSON.stringify({ sessions: recorder.sessions.slice(-maxSessions).map(tell) }),
        }),
        'GET /sessions/*': ({ pathname }) => packetsOf(recorder.sessions, pathname),
      },
    });
    return new RecorderStatus(server);
  }

  /** `http://host:port`. */
  get origin(): string {
    return this.#server.origin;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

function tell({ callId, startedAt, endedAt, peer, streams, findings }: RecorderSession): SessionStatus {
  return {
    ...{ callId, startedAt, endedAt: endedAt ?? null, from: peer.address },
    tlsVersion: peer.tls?.version ?? '',
    clientSubject: peer.tls?.peerSubject ?? '',
    streams: streams.map(({ label, statistics: { received, lost, authFailures, inClear } }) => {
      return { label, received, lost, authFailures, inClear };
    }),
    findings: findings.map(({ where, name, text }) => `${where}: ${name}: ${text}`),
  };
}

function packetsOf(sessions: readonly RecorderSession[], path: string): Page {
  const [, name] = /^\/sessions\/([^/]+)\/packets$/.exec(path) ?? [];
  const callId = decodeURIComponent(name ?? '');
  const streams = sessions.filter((one) => one.callId === callId).flatMap((one) => one.streams);
  if (streams.length === 0) return plain(404, 'no such session');
  const labels = [...new Set(streams.map(({ label }) => label))];
  const told = labels.map((label) => ({
    label,
    packets: streams
      .filter((one) => one.label === label)
      .flatMap(({ packets }) => packets.slice(-maxPackets))
      .map(fingerprint)
      .map((one) => [one.sequenceNumber, one.timestamp, one.payloadType, one.marker, one.payload.toString('hex')]),
  }));
  return { body: JSON.stringify({ streams: told }) };
}
