// What happens in a session that is up: RFC 5359 hold, RFC 3261 §14, RFC 3311, RFC 6086, RFC 4028.
import type { Group, Scenario } from '../scenario.js';
import {
  calls,
  hangsUp,
  hears,
  isCalled,
  isHungUp,
  type SdpOptions,
  type Step,
  sdp,
  sends,
  talks,
  waits,
} from '../steps.js';

/** A new offer and its answer, seen from both ends. */
function offers(method: 'INVITE' | 'UPDATE', offer: SdpOptions, answer: RegExp): Step[] {
  return [
    sends(method, sdp(offer)),
    hears(`200 ${method}`, { body: answer }),
    ...(method === 'INVITE' ? [sends('ACK')] : []),
  ];
}

function isOffered(offer: RegExp, answer: SdpOptions): Step[] {
  return [
    hears('INVITE', { body: offer, 'Content-Type': 'application/sdp' }),
    sends('200 INVITE', sdp(answer)),
    hears('ACK'),
  ];
}

const held: SdpOptions = { direction: 'sendonly', version: 2 };
const resumed: SdpOptions = { direction: 'sendrecv', version: 3 };
const holds = (method: 'INVITE' | 'UPDATE') => [
  ...offers(method, held, /a=recvonly/),
  waits(100),
  ...offers(method, resumed, /m=audio [1-9]/),
];
/** An offer in an UPDATE goes on as re-INVITE: whether the far side knows UPDATE is its own business. */
const isHeld = [
  ...isOffered(/a=sendonly/, { direction: 'recvonly', version: 2 }),
  ...isOffered(/m=audio [1-9]/, { direction: 'sendrecv', version: 3 }),
];

/** A flow of a call that is up, once from either side. */
function either(name: string, does: readonly Step[], sees: readonly Step[]): Scenario[] {
  return [
    {
      name: `${name}, by the caller`,
      caller: calls(talks, ...does, ...hangsUp),
      callee: isCalled(...sees, ...isHungUp),
      ends: 'hangup',
    },
    {
      name: `${name}, by the callee`,
      caller: calls(...sees, ...isHungUp),
      callee: isCalled(talks, ...does, ...hangsUp),
      ends: 'hangup',
    },
  ];
}

/** An early dialog knows no re-INVITE; the callee of these flows answers a re-INVITE late. */
const slowly = (...steps: readonly Step[]): Step[] => [hears('INVITE'), ...steps];

export const offerFlows: Group = {
  title: 'RFC 5359 and RFC 3261 §14: a session changes',
  scenarios: [
    ...either('RFC 5359 §2.1: hold and resume', holds('INVITE'), isHeld),
    ...either('RFC 3311 §5.1: hold and resume by UPDATE', holds('UPDATE'), isHeld),
    ...either(
      'RFC 3264 §8.4: hold with inactive',
      offers('INVITE', { direction: 'inactive', version: 2 }, /a=inactive/),
      isOffered(/a=inactive/, { direction: 'inactive', version: 2 }),
    ),
    ...either(
      'RFC 3264 §8.3.2: another codec',
      offers('INVITE', { codecs: '8', version: 2 }, /m=audio \d+ RTP\/AVP 8\r/),
      isOffered(/m=audio \d+ RTP\/AVP 8\b/, { codecs: '8', version: 2 }),
    ),
    ...either(
      'RFC 3261 §14.1: a new offer is refused, the session stays as it was',
      [sends('INVITE', sdp(held)), hears('488 INVITE'), sends('ACK'), waits(100)],
      [hears('INVITE'), sends('488 INVITE'), hears('ACK')],
    ),
    ...either(
      'RFC 3261 §14.2: glare: who comes second hears 491',
      [sends('INVITE', sdp(held)), hears('200 INVITE', { body: /a=recvonly/ }), sends('ACK'), waits(100)],
      slowly(
        sends('INVITE', sdp({ version: 5 })),
        hears('491 INVITE'),
        sends('ACK'),
        sends('200 INVITE', sdp({ direction: 'recvonly', version: 2 })),
        hears('ACK'),
      ),
    ),
    {
      name: 'RFC 3261 §14.2: a second re-INVITE before the first is answered hears 500 with Retry-After',
      caller: calls(
        talks,
        sends('INVITE', sdp({ version: 2 })),
        hears('100 INVITE'),
        sends('INVITE', sdp({ version: 3 })),
        hears('500 INVITE', { 'Retry-After': /^([0-9]|10)$/ }),
        sends('ACK'),
        hears('200 INVITE'),
        sends('ACK', { cseq: 2 }),
        waits(50),
        ...hangsUp,
      ),
      callee: isCalled(hears('INVITE'), waits(400), sends('200 INVITE', sdp()), hears('ACK'), ...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §14.1: re-INVITE without an offer: ours is in the 200, the answer in the ACK',
      caller: calls(
        talks,
        sends('INVITE'),
        hears('200 INVITE', { body: /m=audio [1-9]/ }),
        sends('ACK', sdp()),
        waits(100),
        ...hangsUp,
      ),
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §12.2.2: a session refresh moves the target: later requests go there',
      protocol: 'udp',
      caller: calls(
        talks,
        sends('INVITE', {
          headers: { Contact: '<sip:moved@[local_ip]:[local_port];transport=[transport]>' },
          ...sdp({ version: 2 }),
        }),
        hears('200 INVITE'),
        sends('ACK'),
        hears('BYE', { uri: /^sip:moved@/ }),
        sends('200 BYE'),
      ),
      callee: isCalled(hears('INVITE'), sends('200 INVITE', sdp()), hears('ACK'), waits(100), ...hangsUp),
      ends: 'hangup',
    },
  ],
};

const dtmf = { type: 'application/dtmf-relay', text: 'Signal=5\nDuration=160\n' };

export const requestFlows: Group = {
  title: 'RFC 3261 §12, RFC 6086, RFC 4028: requests within a session',
  scenarios: [
    ...either(
      'RFC 6086 §4: INFO with a digit',
      [sends('INFO', { body: dtmf }), hears('200 INFO')],
      [hears('INFO', { 'Content-Type': 'application/dtmf-relay', body: /Signal=5/ }), sends('200 INFO')],
    ),
    ...either(
      'RFC 6086 §4.2.2: INFO that the other side does not understand',
      [sends('INFO', { body: dtmf }), hears('415 INFO')],
      [hears('INFO'), sends('415 INFO')],
    ),
    ...either('RFC 3261 §11: OPTIONS within the session', [sends('OPTIONS'), hears('200 OPTIONS')], []),
    ...either(
      'RFC 3428 §8: MESSAGE within the session is not allowed',
      [
        sends('MESSAGE', { body: { type: 'text/plain', text: 'hello' } }),
        hears('405 MESSAGE', { Allow: /INVITE.*UPDATE/ }),
      ],
      [],
    ),
    ...either('RFC 3311 §5.2: UPDATE without an offer', [sends('UPDATE'), hears('200 UPDATE')], []),
    {
      name: 'RFC 3326: BYE with Reason',
      caller: calls(
        talks,
        sends('BYE', { headers: { Reason: 'Q.850;cause=16;text="normal clearing"' } }),
        hears('200 BYE'),
      ),
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §15: two BYEs cross',
      caller: calls(talks, sends('BYE'), hears('200 BYE')),
      callee: isCalled(hears('BYE'), sends('BYE'), hears('200 BYE'), sends('200 BYE')),
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §15.1.2: BYE of an unknown dialog',
      caller: [sends('BYE', { headers: { To: '<sip:nobody@[remote_ip]>;tag=nobody' } }), hears('481 BYE')],
    },
    {
      name: 'RFC 3261 §12.2.2: re-INVITE of an unknown dialog',
      caller: [
        sends('INVITE', { headers: { To: '<sip:nobody@[remote_ip]>;tag=nobody' }, ...sdp() }),
        hears('481 INVITE'),
        sends('ACK'),
      ],
    },
    {
      name: 'RFC 3261 §12.2.2: a request whose CSeq is lower than the last one',
      caller: calls(
        talks,
        sends('INFO', { cseq: 5, body: dtmf }),
        hears('200 INFO'),
        sends('INFO', { cseq: 3, body: dtmf }),
        hears('500 INFO'),
        sends('BYE', { cseq: 6 }),
        hears('200 BYE'),
      ),
      callee: isCalled(hears('INFO'), sends('200 INFO'), ...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 4028 §9: the caller refreshes: Session-Expires is in the 200, a refresh is answered without the far side',
      caller: [
        sends('INVITE', { headers: { Supported: 'timer', 'Session-Expires': '1800;refresher=uac' }, ...sdp() }),
        hears('180 INVITE'),
        hears('200 INVITE', { 'Session-Expires': /^1800;\s*refresher=uac/, Require: /timer/ }),
        sends('ACK'),
        talks,
        sends('UPDATE', { headers: { Supported: 'timer', 'Session-Expires': '1800;refresher=uac' } }),
        hears('200 UPDATE', { 'Session-Expires': /^1800/ }),
        ...hangsUp,
      ],
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 4028 §6: an interval that is too small hears 422 with Min-SE',
      caller: [
        sends('INVITE', { headers: { Supported: 'timer', 'Session-Expires': '30' }, ...sdp() }),
        hears('422 INVITE', { 'Min-SE': /^\d+$/ }),
        sends('ACK'),
        sends('INVITE', { headers: { Supported: 'timer', 'Session-Expires': '90', 'Min-SE': '90' }, ...sdp() }),
        hears('180 INVITE'),
        hears('200 INVITE', { 'Session-Expires': /^90/ }),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
  ],
};
