// Option tags that the edge itself answers for; all others are the business of applications.
import type { Headers } from '@sidestream/sip';

/** Whether a message demands reliable provisional responses (RFC 3262). */
export function requires100rel({ headers }: { readonly headers: Headers }): boolean {
  return /(^|,)\s*100rel\s*(,|$)/i.test(headers.all('Require').join(','));
}
