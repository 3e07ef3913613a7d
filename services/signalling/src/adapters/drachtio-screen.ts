// What is answered at once, as no call can come of it: an INVITE that asks for more than we can do, and requests of other services.
import { allowedMethods } from '../domain/far-headers.js';
import type { SrfHeaders, SrfMessage, SrfRequest } from './drachtio-contract.js';

/** Requests outside dialogs that an SBC for trunks has no use for. Without a handler the edge says 503, as if we were broken. */
export const unservedMethods = ['message', 'notify', 'publish', 'register', 'subscribe'] as const;

/** RFC 3261 §13.3.1.4, §20.5. */
export const allowed = { Allow: allowedMethods };

/** What those requests hear (RFC 3261 §8.2.1). */
export const notAllowed = { status: 405, headers: allowed };

/** Extensions that somebody may require of us. */
const extensions = ['100rel', 'timer', 'record-aware', 'replaces'];

/** Why an INVITE is refused before anybody asks whose it is; undefined: it isn't. */
export function refusalAtOnce(
  request: SrfMessage & Pick<SrfRequest, 'isNewInvite'>,
): { status: number; headers: SrfHeaders } | undefined {
  // A re-INVITE of a dialog that is not ours any more.
  if (!request.isNewInvite) return { status: 481, headers: {} };
  // createUAS could not answer it (RFC 3261 §8.1.1.8).
  if (!request.has('Contact')) return { status: 400, headers: {} };
  const unsupported = tags(request.get('Require')).filter((tag) => !extensions.includes(tag));
  // RFC 3261 §8.2.2.3.
  if (unsupported.length > 0) return { status: 420, headers: { Unsupported: unsupported.join(', ') } };
  // RFC 3261 §8.2.3.
  if (!understood(request)) return { status: 415, headers: { Accept: 'application/sdp, multipart/mixed' } };
  return undefined;
}

function tags(header: string | undefined): string[] {
  const all = (header ?? '').split(',').map((tag) => tag.trim().toLowerCase());
  return all.filter((tag) => tag !== '');
}

function understood(request: SrfMessage): boolean {
  if (request.body === '' || /handling\s*=\s*optional/i.test(request.get('Content-Disposition') ?? '')) return true;
  return /^\s*(application\/sdp|multipart\/[\w.+-]+)\s*(;|$)/i.test(request.get('Content-Type') ?? 'application/sdp');
}
