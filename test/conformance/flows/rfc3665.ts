// RFC 3665: basic call flows, and the ends that a session may come to.
import type { Group, Scenario } from '../scenario.js';
import {
  calls,
  hangsUp,
  hears,
  hearsAgain,
  hearsAnytime,
  isCalled,
  isHungUp,
  type Step,
  sdp,
  sends,
  speaks,
  talks,
  waits,
} from '../steps.js';

/** The caller gives up after what it hears; the callee hears CANCEL. */
const givesUp: readonly Step[] = [sends('CANCEL'), hearsAnytime('200 CANCEL'), hears('487 INVITE'), sends('ACK')];
const isGivenUp: readonly Step[] = [hears('CANCEL'), sends('200 CANCEL'), sends('487 INVITE'), hears('ACK')];

/** What the callee refuses with reaches the caller as it is. */
function refusal(section: string, status: number, ends: string): Scenario {
  return {
    name: `${section}: ${status}`,
    caller: [sends('INVITE', sdp()), hears('180 INVITE'), hears(`${status} INVITE`), sends('ACK')],
    callee: [hears('INVITE'), sends('180 INVITE'), sends(`${status} INVITE`), hears('ACK')],
    ends,
  };
}

export const sessionFlows: Group = {
  title: 'RFC 3665: sessions',
  scenarios: [
    {
      name: 'RFC 3665 §3.1: a session that the caller ends',
      caller: calls(speaks, talks, ...hangsUp),
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3665 §3.1: a session that the callee ends',
      caller: calls(...isHungUp),
      callee: isCalled(talks, ...hangsUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3665 §3.1: a session that the seller begins',
      caller: calls(speaks, talks, ...hangsUp),
      callee: isCalled(...isHungUp),
      outbound: true,
      ends: 'hangup',
    },
    {
      name: 'RFC 3665 §3.1: UDP on one side, TCP on the other',
      protocol: 'udp',
      calleeProtocol: 'tcp',
      caller: calls(talks, ...hangsUp),
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3665 §3.1: TCP on one side, UDP on the other',
      protocol: 'tcp',
      calleeProtocol: 'udp',
      caller: calls(talks, ...hangsUp),
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3665 §3.2: through proxies before and behind us: their routes are kept, and stay on their side',
      caller: [
        sends('INVITE', {
          headers: { 'Record-Route': '<sip:near-proxy@[local_ip]:[local_port];transport=[transport];lr>' },
          ...sdp(),
        }),
        hears('180 INVITE', { 'Record-Route': /near-proxy/ }),
        hears('200 INVITE', { 'Record-Route': /near-proxy/ }),
        sends('ACK'),
        hears('BYE', { Route: /near-proxy@.*;lr/ }),
        sends('200 BYE'),
      ],
      callee: [
        hears('INVITE', { 'Record-Route': null, Route: null }),
        sends('180 INVITE'),
        sends('200 INVITE', {
          headers: { 'Record-Route': '<sip:far-proxy@[local_ip]:[local_port];transport=[transport];lr>' },
          ...sdp(),
        }),
        hears('ACK', { Route: /far-proxy@.*;lr/ }),
        talks,
        ...hangsUp,
      ],
      ends: 'hangup',
    },
    {
      name: 'RFC 3665 §3.7: re-INVITE, the IP address changes',
      caller: calls(
        talks,
        sends('INVITE', sdp({ port: 7_000, version: 2 })),
        hears('200 INVITE', { body: /m=audio \d+/ }),
        sends('ACK'),
        ...hangsUp,
      ),
      callee: isCalled(hears('INVITE', { body: /m=audio \d+/ }), sends('200 INVITE', sdp()), hears('ACK'), ...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3665 §3.8: no answer, the caller gives up',
      caller: [sends('INVITE', sdp()), hears('180 INVITE'), ...givesUp],
      callee: [hears('INVITE'), sends('180 INVITE'), ...isGivenUp],
      ends: 'cancelled',
    },
    {
      name: 'RFC 3665 §3.9: busy',
      caller: [sends('INVITE', sdp()), hears('486 INVITE'), sends('ACK')],
      callee: [hears('INVITE'), sends('486 INVITE'), hears('ACK')],
      ends: 'busy',
    },
    {
      name: 'RFC 3665 §3.10: no response of the far side, until Timer B',
      protocol: 'udp',
      withoutRetransmission: true,
      caller: [sends('INVITE', sdp()), hears('408 INVITE'), sends('ACK')],
      callee: [hears('INVITE'), ...Array.from({ length: 6 }, () => hearsAgain('INVITE'))],
      ends: 'far-side-unreachable',
    },
    {
      name: 'RFC 3665 §3.11: temporarily unavailable',
      caller: [sends('INVITE', sdp()), hears('180 INVITE'), hears('480 INVITE'), sends('ACK')],
      callee: [hears('INVITE'), sends('180 INVITE'), sends('480 INVITE'), hears('ACK')],
      ends: 'no-answer',
    },
  ],
};

export const refusalFlows: Group = {
  title: 'RFC 3261 §21: refusals of the far side',
  scenarios: [
    refusal('RFC 3261 §21.4.4: forbidden', 403, 'declined'),
    refusal('RFC 3261 §21.4.5: not found', 404, 'unknown-number'),
    refusal('RFC 3261 §21.4.9: time-out after ringing', 408, 'no-answer'),
    refusal('RFC 3261 §21.4.10: gone', 410, 'unknown-number'),
    refusal('RFC 3261 §21.4.22: address incomplete', 484, 'unknown-number'),
    refusal('RFC 3261 §21.4.26: not acceptable here', 488, 'not-acceptable-here'),
    refusal('RFC 3261 §21.5.1: server error', 500, 'far-side-failed'),
    refusal('RFC 3261 §21.5.4: unavailable', 503, 'far-side-unreachable'),
    refusal('RFC 3261 §21.6.1: busy everywhere', 600, 'busy'),
    refusal('RFC 3261 §21.6.2: declined', 603, 'declined'),
    {
      name: 'RFC 3261 §8.1.3.2: 499, which nobody knows, counts as 400',
      caller: [sends('INVITE', sdp()), hears('400 INVITE'), sends('ACK')],
      callee: [hears('INVITE'), sends('499 INVITE'), hears('ACK')],
      ends: 'far-side-failed',
    },
  ],
};

export const cancelFlows: Group = {
  title: 'RFC 3261 §9: giving up, in every race',
  scenarios: [
    {
      name: 'RFC 3261 §9.1: CANCEL before the far side has said anything waits for its 100',
      caller: [sends('INVITE', sdp()), hears('100 INVITE'), waits(200), ...givesUp],
      callee: [hears('INVITE'), waits(400), sends('100 INVITE'), ...isGivenUp],
      ends: 'cancelled',
    },
    {
      name: 'RFC 3261 §9.1: CANCEL after early media',
      caller: [sends('INVITE', sdp()), hears('183 INVITE', { body: /m=audio/ }), ...givesUp],
      callee: [hears('INVITE'), sends('183 INVITE', sdp()), ...isGivenUp],
      ends: 'cancelled',
    },
    {
      name: 'RFC 3261 §9.1: a 200 crosses our CANCEL: the far side hears ACK and BYE',
      caller: [sends('INVITE', sdp()), hears('180 INVITE'), ...givesUp],
      callee: [
        hears('INVITE'),
        sends('180 INVITE'),
        hears('CANCEL'),
        sends('200 CANCEL'),
        sends('200 INVITE', sdp()),
        hears('ACK'),
        ...isHungUp,
      ],
      ends: 'cancelled',
    },
    {
      name: 'RFC 3261 §9.2: CANCEL after the 200 has no effect',
      caller: [
        sends('INVITE', sdp()),
        hears('180 INVITE'),
        hears('200 INVITE'),
        sends('CANCEL'),
        hears('200 CANCEL'),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §9.2: CANCEL of an unknown transaction',
      caller: [
        sends('INVITE', sdp()),
        hears('180 INVITE'),
        sends('CANCEL', { branch: 'z9hG4bK[pid]nobody' }),
        hears('481 CANCEL'),
        ...givesUp,
      ],
      callee: [hears('INVITE'), sends('180 INVITE'), ...isGivenUp],
      ends: 'cancelled',
    },
  ],
};
