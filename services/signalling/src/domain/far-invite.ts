// The INVITE that goes to one target of a call: whom it names, and what it tells of the caller.
import { type Candidate, requestUriAt } from '@sidestream/routing';
import type { CallPlan } from './call-plan.js';
import { farHeaders } from './far-headers.js';
import type { OutgoingInvite } from './ports.js';

/** @param own our address towards the target */
export function farInvite(
  candidate: Candidate,
  { invite, maxForwards, callerFor }: Pick<CallPlan, 'invite' | 'maxForwards' | 'callerFor'>,
  own: string,
): Pick<OutgoingInvite, 'trunk' | 'uri' | 'protocol' | 'headers'> {
  const uri = requestUriAt(candidate, candidate.user);
  return {
    trunk: candidate.trunk.name,
    uri,
    protocol: candidate.protocol,
    headers: farHeaders(invite, { own, to: uri.replace(/;.*$/, ''), maxForwards, ...callerFor(candidate.trunk) }),
  };
}
