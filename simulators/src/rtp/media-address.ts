/** Where a parsed media description wants its RTP and RTCP: connection data, port, and RFC 3605's a=rtcp. */
import { isIP } from 'node:net';
import type { MediaDescription, SessionDescription } from 'sdp-transform';

/** Direction attribute of RFC 3264 §5.1, absent = sendrecv. */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One m-line's transport addresses; the address may be a name, and port 0 means that the stream is not wanted. */
export interface MediaAddress {
  address: string;
  port: number;
  rtcpAddress: string;
  rtcpPort: number;
}

type MediaLine = SessionDescription['media'][number] & MediaDescription;

/** Media-level connection data goes before the session's (RFC 4566 §5.7); undefined when there is none or no usable port. */
export function mediaAddress(session: SessionDescription, media: MediaLine): MediaAddress | undefined {
  const address = media.connection?.ip ?? session.connection?.ip;
  const { port } = media;
  if (address === undefined || !Number.isInteger(port) || port < 0 || port > 65_535) return undefined;
  const rtcp = media.rtcp;
  const rtcpAddress = rtcp?.address !== undefined && isIP(rtcp.address) !== 0 ? rtcp.address : address;
  return { address, port, rtcpAddress, rtcpPort: rtcp?.port ?? port + 1 };
}

/** The direction of a stream; the session's holds for all streams that have none of their own. */
export function mediaDirection(session: SessionDescription, media: MediaLine): MediaDirection {
  return media.direction ?? session.direction ?? 'sendrecv';
}

/** Payload types of an m-line. The parser gives a lone one as a number, and what is no number is dropped. */
export function payloadTypes(media: MediaLine): number[] {
  return String(media.payloads ?? '')
    .split(' ')
    .map(Number)
    .filter((type) => Number.isInteger(type) && type >= 0 && type <= 127);
}

/** `IP4` or `IP6`, for connection data. */
export function addressType(address: string): 'IP4' | 'IP6' {
  return isIP(address) === 6 ? 'IP6' : 'IP4';
}
