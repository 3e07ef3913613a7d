// What the parts of one user agent share, and the header lines that it puts on everything it says.
import { Headers } from '../message/headers.js';
import type { SipRequest } from '../message/sip-message.js';
import type { FlowSource, TransactionLayer } from '../transaction/transaction-layer.js';
import type { DialogTable } from './dialog-table.js';

/** The shared state of one user agent. */
export interface UaCore {
  readonly layer: TransactionLayer;
  readonly transports: FlowSource;
  readonly dialogs: DialogTable;
  /** Methods that are understood, for Allow, 405 and 501. */
  readonly allow: readonly string[];
  /** Option tags that are understood, for Supported and 420. */
  readonly supported: readonly string[];
  /** Media types that are understood and spoken, for 415 and 406; undefined = bodies are the owner's affair. */
  readonly accept: readonly string[] | undefined;
  /** User-Agent and Server. */
  readonly product: string | undefined;
}

/** Header lines and body that a caller adds to a request or response. */
export interface Content {
  /** A line of a name that we would write ourselves replaces ours. */
  readonly headers?: Headers | undefined;
  readonly body?: Buffer | string | undefined;
  /** Content-Type of the body. */
  readonly contentType?: string | undefined;
}

/** The body's bytes. */
export function bodyOf(content: Content): Buffer | undefined {
  return typeof content.body === 'string' ? Buffer.from(content.body) : content.body;
}

const announcing = new Set(['INVITE', 'UPDATE', 'OPTIONS']);

/** The lines of a request beside those of routing and dialog; the caller's own come last and win. */
export function requestHeaders(core: UaCore, method: string, content: Content): Headers {
  const headers = new Headers();
  if (announcing.has(method)) announce(core, headers);
  if (core.product !== undefined) headers.set('User-Agent', core.product);
  return addContent(headers, content);
}

/** The lines of a response beside those that createResponse copies. */
export function responseHeaders(core: UaCore, request: SipRequest, status: number, content: Content): Headers {
  const headers = new Headers();
  const success = status >= 200 && status < 300;
  if (status === 405 || status === 501 || (success && announcing.has(request.method))) announce(core, headers);
  if (core.product !== undefined && status > 100) headers.set('Server', core.product);
  return addContent(headers, content);
}

/** Replaces lines of `headers` by those of the same name in `extra` and adds the others. */
export function overlay(headers: Headers, extra: Headers | undefined): Headers {
  if (extra === undefined) return headers;
  for (const name of new Set([...extra].map(([name]) => name))) headers.set(name, ...extra.all(name));
  return headers;
}

function announce(core: UaCore, headers: Headers): void {
  headers.set('Allow', core.allow.join(', '));
  if (core.supported.length > 0) headers.set('Supported', core.supported.join(', '));
}

function addContent(headers: Headers, content: Content): Headers {
  overlay(headers, content.headers);
  if (content.contentType !== undefined) headers.set('Content-Type', content.contentType);
  return headers;
}
