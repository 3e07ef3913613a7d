// Which way media flows between the parties of a call, read from their descriptions: what a hold looks like.
import type { PartyFlow } from '@sidestream/siprec';
import type { Party } from './parties.js';

export type PartyFlows = Readonly<Record<Party, PartyFlow>>;

/** @param sdp the last description that each party gave */
export function partyFlows(sdp: Readonly<Record<Party, string>>): PartyFlows {
  return { customer: partyFlow(sdp.customer), seller: partyFlow(sdp.seller) };
}

/** What is taken for granted where nobody has said anything else. */
export function flowsBothWays(flows: PartyFlows): boolean {
  return Object.values(flows).every(({ sends, receives }) => sends && receives);
}

/** Of the first audio section, else of the session; both ways where nothing is said (RFC 4566 §6). */
function partyFlow(sdp: string): PartyFlow {
  const [head = '', ...sections] = sdp.split(/^(?=m=)/m);
  const audio = sections.find((section) => section.startsWith('m=audio')) ?? '';
  const direction = directionIn(audio) ?? directionIn(head);
  // RFC 3264 §8.4: how a hold was said before there were directions.
  const nowhere =
    /^c=IN IP4 0\.0\.0\.0\s*$/m.test(audio) || (!/^c=/m.test(audio) && /^c=IN IP4 0\.0\.0\.0\s*$/m.test(head));
  return {
    sends: direction !== 'recvonly' && direction !== 'inactive',
    receives: direction !== 'sendonly' && direction !== 'inactive' && !nowhere,
  };
}

function directionIn(section: string): string | undefined {
  return /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m.exec(section)?.[1];
}
