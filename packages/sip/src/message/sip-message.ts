// Requests and responses with lazily parsed, cached fields. Owns no wire format: see parse-message and serialise-message.
import { malformed } from '../sip-error.js';
import { type Parameters, parseParameters, unquote } from './grammar.js';
import { Headers } from './headers.js';
import { type NameAddr, parseNameAddr } from './name-addr.js';
import { reasonPhrase } from './reason-phrase.js';
import { parseVia, type Via } from './via.js';

/** CSeq in its parts. */
export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** Content-Type in its parts: type in lower case, parameter values without quotes. */
export interface ContentType {
  readonly type: string;
  readonly parameters: Parameters;
}

/** Typed fields as far as they have been read; a class, so that all have one shape. */
class Fields {
  topVia: Via | undefined;
  from: NameAddr | undefined;
  to: NameAddr | undefined;
  cseq: CSeq | undefined;
  contacts: readonly NameAddr[] | undefined;
  contentType: ContentType | null | undefined;
}

const cseq = /^(\d+)[ \t]+([A-Za-z0-9\-.!%*_+`'~]+)$/;
const mediaType = /^([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*\/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)/;
export const emptyBody: Buffer = Buffer.alloc(0);

/**
 * What requests and responses share. Typed fields are parsed on first use and again after the headers changed; on a message
 * that parseMessage gave they never throw, on any other they throw SipError `malformed` when the header is absent or bad.
 */
abstract class MessageFields {
  readonly headers: Headers;
  body: Buffer;
  #fields = new Fields();
  #revision: number;

  constructor(headers: Headers, body: Buffer) {
    this.headers = headers;
    this.body = body;
    this.#revision = headers.revision;
  }

  get topVia(): Via {
    const fields = this.#current();
    fields.topVia ??= parseVia(firstElement(required(this.headers, 'Via')));
    return fields.topVia;
  }

  get from(): NameAddr {
    const fields = this.#current();
    fields.from ??= parseNameAddr(required(this.headers, 'From'), 'From');
    return fields.from;
  }

  get to(): NameAddr {
    const fields = this.#current();
    fields.to ??= parseNameAddr(required(this.headers, 'To'), 'To');
    return fields.to;
  }

  get callId(): string {
    return required(this.headers, 'Call-ID');
  }

  get cseq(): CSeq {
    const fields = this.#current();
    fields.cseq ??= parseCSeq(required(this.headers, 'CSeq'));
    return fields.cseq;
  }

  /** Every Contact; the wildcard of a REGISTER has the URI `*`. */
  get contacts(): readonly NameAddr[] {
    const fields = this.#current();
    fields.contacts ??= this.headers.values('Contact').map((value) => parseNameAddr(value, 'Contact'));
    return fields.contacts;
  }

  get contentType(): ContentType | undefined {
    const fields = this.#current();
    if (fields.contentType === undefined) {
      const value = this.headers.get('Content-Type');
      fields.contentType = value === undefined ? null : parseContentType(value);
    }
    return fields.contentType ?? undefined;
  }

  #current(): Fields {
    if (this.#revision !== this.headers.revision) {
      this.#fields = new Fields();
      this.#revision = this.headers.revision;
    }
    return this.#fields;
  }
}

/** What a SipRequest is made of. */
export interface SipRequestInit {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Headers | undefined;
  readonly body?: Buffer | undefined;
}

/** A SIP request. */
export class SipRequest extends MessageFields {
  readonly kind = 'request';
  method: string;
  uri: string;

  constructor(init: SipRequestInit) {
    super(init.headers ?? new Headers(), init.body ?? emptyBody);
    this.method = init.method;
    this.uri = init.uri;
  }

  /** A copy with headers of its own; the body's bytes are shared. */
  clone(): SipRequest {
    return new SipRequest({ method: this.method, uri: this.uri, headers: this.headers.clone(), body: this.body });
  }
}

/** What a SipResponse is made of; the reason defaults to the usual phrase. */
export interface SipResponseInit {
  readonly status: number;
  readonly reason?: string | undefined;
  readonly headers?: Headers | undefined;
  readonly body?: Buffer | undefined;
}

/** A SIP response. */
export class SipResponse extends MessageFields {
  readonly kind = 'response';
  status: number;
  reason: string;

  constructor(init: SipResponseInit) {
    super(init.headers ?? new Headers(), init.body ?? emptyBody);
    this.status = init.status;
    this.reason = init.reason ?? reasonPhrase(init.status);
  }

  /** A copy with headers of its own; the body's bytes are shared. */
  clone(): SipResponse {
    return new SipResponse({
      status: this.status,
      reason: this.reason,
      headers: this.headers.clone(),
      body: this.body,
    });
  }
}

export type SipMessage = SipRequest | SipResponse;

function required(headers: Headers, name: string): string {
  const value = headers.get(name);
  if (value === undefined || value === '') throw malformed(`${name}: missing`);
  return value;
}

// Via has no angle brackets and its quoted values are rare, so the first element mostly ends at the first comma.
function firstElement(line: string): string {
  const comma = line.indexOf(',');
  if (comma < 0) return line;
  return line.includes('"') ? (new Headers([['Via', line]]).values('Via')[0] ?? '') : line.slice(0, comma);
}

function parseCSeq(value: string): CSeq {
  const match = cseq.exec(value);
  if (match === null) throw malformed('CSeq: not a number and a method');
  const number = Number(match[1]);
  // RFC 3261 §8.1.1.5: the sequence number MUST be less than 2**31.
  if (number >= 2 ** 31) throw malformed('CSeq: number above 2^31 - 1');
  return { number, method: match[2] ?? '' };
}

function parseContentType(value: string): ContentType {
  const match = mediaType.exec(value);
  if (match === null) throw malformed('Content-Type: not type/subtype');
  const parameters = new Map<string, string | null>();
  for (const [name, written] of parseParameters(value, match[0].length, 'Content-Type')) {
    parameters.set(name, written === null ? null : unquote(written));
  }
  return { type: `${match[1]}/${match[2]}`.toLowerCase(), parameters };
}
