// SDP of others in the few terms that a recording session knows. The library behind it guesses types and lets broken lines
// through, so everything is checked here; what is not named here does not exist for the rest of the package.
import { type MediaAttributes, type MediaDescription, parse, type SessionDescription } from 'sdp-transform';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface ReadCrypto {
  readonly tag: number;
  readonly suite: string;
  readonly keyParameters: string;
  readonly hasSessionParameters: boolean;
}

export interface ReadMedia {
  readonly type: string;
  readonly port: number;
  readonly protocol: string;
  readonly payloadTypes: readonly number[];
  /** Encoding name and rate by payload type, such as `PCMU/8000`; channels are left out. */
  readonly rtpmap: ReadonlyMap<number, string>;
  readonly address: string;
  readonly rtcpPort?: number;
  readonly direction: Direction;
  readonly crypto: readonly ReadCrypto[];
  readonly label?: string;
}

export interface ReadSession {
  readonly sessionId: string;
  readonly sessionVersion: string;
  readonly media: readonly ReadMedia[];
}

const maxChars = 64 * 1024;

/** The description, or undefined when it is none: no `v=0` first, no `o=`, a broken `m=`, or over 64 Ki characters. */
export function readSessionDescription(sdp: string): ReadSession | undefined {
  const text = sdp.trimStart();
  if (text.length > maxChars || !/^v=0\r?\n/.test(text)) return undefined;
  const session = parse(text);
  const origin: Partial<SessionDescription['origin']> | undefined = session.origin;
  const media = session.media.map((description) => readMedia(description, session));
  if (origin === undefined || media.includes(undefined)) return undefined;
  return {
    sessionId: digits(origin.sessionId),
    sessionVersion: digits(origin.sessionVersion),
    media: media.filter((description) => description !== undefined),
  };
}

function readMedia(media: Partial<MediaDescription>, session: Partial<SessionDescription>): ReadMedia | undefined {
  const { type, port, protocol } = media;
  if (type === undefined || typeof port !== 'number' || protocol === undefined) return undefined;
  const rtcpPort = media.rtcp?.port;
  return {
    // Whatever looks like a number arrives as one, in spite of the library's types: hence String() for each field.
    type: String(type),
    port,
    protocol: String(protocol),
    payloadTypes: String(media.payloads ?? '')
      .split(' ')
      .filter((payload) => /^\d{1,3}$/.test(payload))
      .map(Number),
    rtpmap: rtpmap(media.rtp ?? []),
    address: String((media.connection ?? session.connection)?.ip ?? ''),
    ...(isPort(rtcpPort) ? { rtcpPort } : {}),
    // RFC 4566 §6: sendrecv is the default when neither the media nor the session names a direction.
    direction: media.direction ?? session.direction ?? 'sendrecv',
    crypto: (media.crypto ?? []).map(({ id, suite, config, sessionConfig }) => ({
      tag: Number(id),
      suite: String(suite),
      keyParameters: String(config),
      hasSessionParameters: sessionConfig !== undefined,
    })),
    ...labelOf(media),
  };
}

/** The library's types do not know a=label (RFC 4574), and it makes a number of one that looks like it. */
function labelOf(media: object): { label?: string } {
  const label = 'label' in media ? media.label : undefined;
  return typeof label === 'string' || typeof label === 'number' ? { label: String(label) } : {};
}

function rtpmap(entries: MediaAttributes['rtp']): ReadonlyMap<number, string> {
  return new Map(entries.map(({ payload, codec, rate }) => [payload, `${codec}/${rate ?? ''}`]));
}

export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 65535;
}

function digits(value: unknown): string {
  const text = String(value);
  return /^\d{1,20}$/.test(text) ? text : '0';
}
