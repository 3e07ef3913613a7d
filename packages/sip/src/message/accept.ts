// Accept: which media types a caller takes (RFC 3261 §20.1).
import { trimSpace } from './grammar.js';
import type { SipRequest } from './sip-message.js';

/**
 * Those of our media types (lower case) in which the caller would take a body of the response. Without Accept that is
 * `application/sdp` alone; an empty Accept takes none. Quality values are not looked at, but for q=0.
 */
export function acceptableTypes(request: SipRequest, ours: readonly string[]): readonly string[] {
  const ranges = request.headers.has('Accept') ? request.headers.values('Accept').map(mediaRange) : ['application/sdp'];
  return ours.filter((type) =>
    ranges.some(
      (range) => range === '*/*' || range === type || (range.endsWith('/*') && type.startsWith(range.slice(0, -1))),
    ),
  );
}

function mediaRange(element: string): string {
  const [range = '', ...parameters] = element.toLowerCase().split(';');
  const refused = parameters.some((parameter) => /^[ \t]*q[ \t]*=[ \t]*0(?:\.0*)?[ \t]*$/.test(parameter));
  return refused ? '' : trimSpace(range).replace(/[ \t]*\/[ \t]*/, '/');
}
