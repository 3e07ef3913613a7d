// RFC 3665: basic call flows.
import type { Group } from '../scenario.js';
import { calls, hangsUp, hears, hearsAnytime, isCalled, isHungUp, sdp, sends, speaks, talks } from '../steps.js';

export const callFlows: Group = {
  title: 'RFC 3665: sessions',
  scenarios: [
    {
      name: 'RFC 3665 §3.1: a session that the caller ends',
      caller: calls(speaks, talks, ...hangsUp),
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3665 §3.8: no answer, the caller gives up',
      caller: [
        sends('INVITE', sdp()),
        hears('180 INVITE'),
        sends('CANCEL'),
        hearsAnytime('200 CANCEL'),
        hears('487 INVITE'),
        sends('ACK'),
      ],
      callee: [
        hears('INVITE'),
        sends('180 INVITE'),
        hears('CANCEL'),
        sends('200 CANCEL'),
        sends('487 INVITE'),
        hears('ACK'),
      ],
      ends: 'cancelled',
    },
    {
      name: 'RFC 3665 §3.9: busy',
      caller: [sends('INVITE', sdp()), hears('486 INVITE'), sends('ACK')],
      callee: [hears('INVITE'), sends('486 INVITE'), hears('ACK')],
      ends: 'busy',
    },
  ],
};
