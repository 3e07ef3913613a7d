// The INVITE that goes to one target of a call: whom it names, and what it tells of the caller.
import { type Candidate, requestUriAt } from '@sidestream/routing';
import type { CallPlan } from './call-plan.js';
import { farHeaders } from './far-headers.js';
import type { OutgoingInvite } from './ports.js';

/**
 * @param own our address towards the target
 * @param diverted the numbers that have redirected the call, the last one first
 */
export function farInvite(
  candidate: Candidate,
  { invite, maxForwards, callerFor }: Pick<CallPlan, 'invite' | 'maxForwards' | 'callerFor'>,
  own: string,
  diverted: readonly string[],
): Pick<OutgoingInvite, 'trunk' | 'uri' | 'protocol' | 'headers'> {
  const uri = requestUriAt(candidate, candidate.user);
  const headers = farHeaders(invite, { own, to: uri.replace(/;.*$/, ''), maxForwards, ...callerFor(candidate.trunk) });
  // RFC 5806 §3: the latest diversion is the first.
  const diversions = [diverted.map((user) => `<sip:${user}@${own}>;reason=unknown`), headers['Diversion'] ?? []].flat();
  return {
    trunk: candidate.trunk.name,
    uri,
    protocol: candidate.protocol,
    headers: diversions.length > 0 ? { ...headers, Diversion: diversions } : headers,
  };
}
