// What a user agent refuses before anyone looks at a request: RFC 3261 §8.2.1 and §8.2.2.3.
import { Headers } from '../message/headers.js';
import type { SipRequest } from '../message/sip-message.js';
import type { UaCore } from './ua-core.js';

/** The refusal of a method (405) or an extension (420) that is not understood; undefined = go on. */
export function refusalOf(core: UaCore, request: SipRequest): { status: number; headers?: Headers } | undefined {
  // The answer announces the methods itself.
  if (!core.allow.includes(request.method)) return { status: 405 };
  const unsupported = request.headers
    .values('Require')
    .filter((tag) => tag !== '' && !core.supported.includes(tag.toLowerCase()));
  if (unsupported.length === 0) return undefined;
  return { status: 420, headers: new Headers([['Unsupported', unsupported.join(', ')]]) };
}
