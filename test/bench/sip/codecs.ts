// The work of `bench sip`, once with our parser and once with drachtio-srf's own: both are given bytes and give bytes.
import { createRequire } from 'node:module';
import { type CSeq, type NameAddr, parseMessage, serialiseMessage, type Via } from '@sidestream/sip';
import { bodyParts } from '@sidestream/siprec';

/** What is read of the message; kept, so that nothing of it is optimised away. */
export interface Reading {
  readonly values: readonly unknown[];
  readonly parts: readonly string[];
  readonly output: Buffer;
}

/** One program that does the work. */
export type Codec = (bytes: Buffer) => Reading;

/** `@sidestream/sip` and the multipart reader of `@sidestream/siprec`. */
export const ours: Codec = (bytes) => {
  const message = parseMessage(bytes);
  const { topVia, from, to, callId, cseq, contacts, contentType } = message;
  const values: [Via, NameAddr, NameAddr, string, CSeq, NameAddr | undefined, string | undefined] = [
    topVia,
    from,
    to,
    callId,
    cseq,
    contacts[0],
    contentType?.type,
  ];
  const parts = bodyParts(message.headers.get('Content-Type') ?? '', message.body).map(({ body }) => body.toString());
  message.headers.set('Max-Forwards', '69');
  return { values, parts, output: serialiseMessage(message) };
};

/** The class of drachtio-srf that every message of an application goes through; it has no types of its own. */
interface DrachtioMessage {
  readonly headers: Record<string, string | number>;
  readonly payload: readonly { readonly content: string }[];
  get(name: string): string;
  getParsedHeader(name: string): unknown;
  toString(): string;
}

const SipMessage = createRequire(import.meta.url)('drachtio-srf/lib/sip-parser/message.js') as new (
  text: string,
) => DrachtioMessage;

/** drachtio-srf's own parser, as its applications use it. */
export const drachtioSrf: Codec = (bytes) => {
  const message = new SipMessage(bytes.toString());
  const values = [
    (message.getParsedHeader('via') as unknown[])[0],
    message.getParsedHeader('from'),
    message.getParsedHeader('to'),
    message.get('call-id'),
    message.getParsedHeader('cseq'),
    (message.getParsedHeader('contact') as unknown[])[0],
    message.get('content-type'),
  ];
  const parts = message.payload.map(({ content }) => content);
  message.headers['max-forwards'] = '69';
  return { values, parts, output: Buffer.from(message.toString()) };
};
