// Small truths about messages as drachtio-srf hands them over and takes them.
import { SidestreamError } from '@sidestream/service';
import { bodyParts } from '@sidestream/siprec';
import { raced } from '../domain/deadline.js';
import type { SipFields } from '../domain/ports.js';
import type { SrfHeaders, SrfMessage, SrfResponse } from './drachtio-contract.js';

/** The session description of a message, alone or within a multipart; '' if there is none. */
export function sdpOf(message: SrfMessage): string {
  const { body } = message;
  if (!body) return '';
  const contentType = message.get('Content-Type') ?? 'application/sdp';
  if (/^\s*application\/sdp\b/i.test(contentType)) return body;
  try {
    // drachtio-srf's own parts are wrong when the boundary is not the last parameter, or has capitals.
    const part = bodyParts(contentType, Buffer.from(body)).find(({ mediaType }) => mediaType === 'application/sdp');
    return part?.body.toString() ?? '';
  } catch {
    return '';
  }
}

/** What tells the branches of a fork apart; '' if there is none. */
export function toTagOf(message: SrfMessage): string {
  return /;\s*tag\s*=\s*([^;,\s]+)/i.exec(message.get('To')?.replace(/^[^>]*>/, '') ?? '')?.[1] ?? '';
}

/** The library puts a comma between fields of one name; where the grammar has none, only a line end keeps them apart. */
export function fieldsOf(headers: SipFields): SrfHeaders {
  const lines = (name: string, value: string | readonly string[]) => [value].flat().join(`\r\n${name}: `);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, lines(name, value)]));
}

/**
 * Sends a response; resolves when the edge has echoed it. Rejects when the edge refuses it (the transaction is over) or is lost.
 *
 * @param onPrack called when a reliable provisional response is acknowledged.
 */
export function sendResponse(
  response: SrfResponse,
  status: number,
  options: { headers?: SrfHeaders; body?: string },
  lost: AbortSignal,
  onPrack?: () => void,
): Promise<void> {
  const sent = new Promise<void>((resolve, reject) => {
    if (response.finalResponseSent) return resolve();
    const done = (error: unknown) => (error ? reject(new SidestreamError('cancelled', String(error))) : resolve());
    try {
      response.send(status, options, done, onPrack);
    } catch {
      // It knows no such status: the class's own is what a peer must take it for (RFC 3261 §8.1.3.2).
      response.send(Math.floor(status / 100) * 100, options, done, onPrack);
    }
  });
  return raced(sent, lost);
}
