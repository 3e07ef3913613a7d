// What a user agent refuses before anyone looks at a request, in the order of RFC 3261 §8.2: method, header, content.
import { acceptableTypes } from '../message/accept.js';
import { Headers } from '../message/headers.js';
import { isRegisteredMethod } from '../message/methods.js';
import type { SipRequest } from '../message/sip-message.js';
import { SipError } from '../sip-error.js';
import { referTo } from './refer.js';
import type { UaCore } from './ua-core.js';

/** A response that refuses, with the header lines that say why. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Headers;
}

const schemes: ReadonlySet<string> = new Set(['sip', 'sips', 'tel']);

/** The refusal of what is not understood; undefined = go on. */
export function refusalOf(core: UaCore, request: SipRequest): Refusal | undefined {
  // The answer announces the methods itself.
  if (!core.allow.includes(request.method)) return { status: isRegisteredMethod(request.method) ? 405 : 501 };
  // §8.2.2.1.
  if (!schemes.has(request.uri.slice(0, request.uri.indexOf(':')).toLowerCase())) return { status: 416 };
  // §8.2.2.3.
  const unsupported = request.headers
    .values('Require')
    .filter((tag) => tag !== '' && !core.supported.includes(tag.toLowerCase()));
  if (unsupported.length > 0) {
    return { status: 420, headers: new Headers([['Unsupported', unsupported.join(', ')]]) };
  }
  // RFC 3515 §2.4.2.
  if (request.method === 'REFER' && !hasReferTo(request)) return { status: 400 };
  return core.accept === undefined ? undefined : refusalOfContent(request, core.accept);
}

/** §8.2.3: a body that cannot be read, and an answer that could not be written in any type that the caller takes. */
function refusalOfContent(request: SipRequest, accept: readonly string[]): Refusal | undefined {
  const { headers, body, contentType } = request;
  if (body.length > 0 && !isOptional(headers)) {
    if (contentType === undefined || !accept.includes(contentType.type)) {
      return { status: 415, headers: new Headers([['Accept', accept.join(', ')]]) };
    }
    if (headers.values('Content-Encoding').some((coding) => coding.toLowerCase() !== 'identity')) {
      return { status: 415, headers: new Headers([['Accept-Encoding', 'identity']]) };
    }
  }
  if (request.method !== 'INVITE' || acceptableTypes(request, accept).length > 0) return undefined;
  const warning = `399 - "no answer is possible in ${headers.values('Accept').length} offered types"`;
  return { status: 406, headers: new Headers([['Warning', warning]]) };
}

// §20.11: who says handling=optional wants the body ignored rather than the request refused.
function isOptional(headers: Headers): boolean {
  return /;[ \t]*handling[ \t]*=[ \t]*optional[ \t]*(?:;|$)/i.test(headers.get('Content-Disposition') ?? '');
}

function hasReferTo(request: SipRequest): boolean {
  try {
    return referTo(request).uri !== '';
  } catch (error) {
    if (error instanceof SipError) return false;
    throw error;
  }
}
