// What a trunk may be told in sidestream.yaml: routes, numbers, identities, failover, media.
import type { Group } from '../scenario.js';
import { calls, hangsUp, hears, hearsAgain, isCalled, isHungUp, sdp, sends, talks } from '../steps.js';

const dials = (uri: string) => [
  sends('INVITE', { uri, ...sdp() }),
  hears('180 INVITE'),
  hears('200 INVITE'),
  sends('ACK'),
  talks,
  ...hangsUp,
];
const isDialled = (uri: RegExp) => [
  hears('INVITE', { uri }),
  sends('180 INVITE'),
  sends('200 INVITE', sdp()),
  hears('ACK'),
  ...isHungUp,
];

export const routingFlows: Group = {
  title: 'RFC 3263, SIPconnect 1.1: where a call goes',
  scenarios: [
    {
      name: 'RFC 3665 §3.4: the first target is unavailable, the next one takes the call',
      caller: calls(talks, ...hangsUp),
      callee: [hears('INVITE'), sends('503 INVITE'), hears('ACK')],
      third: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3263 §4.3: the first target says nothing, the next one takes the call',
      protocol: 'udp',
      withoutRetransmission: true,
      calleeTrunk: () => ({ failover: { timeout: '1s' } }),
      caller: calls(talks, ...hangsUp),
      callee: [hears('INVITE'), hearsAgain('INVITE')],
      third: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'RFC 3263 §4.3: busy is an answer, the next target hears nothing',
      caller: [sends('INVITE', sdp()), hears('486 INVITE'), sends('ACK')],
      callee: [hears('INVITE'), sends('486 INVITE'), hears('ACK')],
      third: [],
      ends: 'busy',
    },
    {
      name: 'SIPconnect 1.1 §9: a national number is called in E.164',
      callerTrunk: () => ({ numbers: { defaultCountry: 'DE' } }),
      calleeTrunk: () => ({ numbers: { defaultCountry: 'DE', outgoing: { format: 'e164' } } }),
      caller: dials('sip:03012345001@[remote_ip]:[remote_port]'),
      callee: isDialled(/^sip:\+493012345001@/),
      ends: 'hangup',
    },
    {
      name: 'SIPconnect 1.1 §9: a trunk that wants national numbers gets them',
      calleeTrunk: () => ({ numbers: { defaultCountry: 'DE', outgoing: { format: 'national' } } }),
      caller: dials('sip:+493012345001@[remote_ip]:[remote_port]'),
      callee: isDialled(/^sip:03012345001@/),
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §21.4.5: no route takes the call',
      callerTrunk: ({ far }) => ({ routes: [{ called: { prefix: '+1' }, to: far }] }),
      caller: [sends('INVITE', sdp()), hears('404 INVITE', { Reason: /route/ }), sends('ACK')],
    },
    {
      name: 'RFC 3261 §21.4.4: a destination that is not allowed',
      callerTrunk: () => ({ destinations: { deny: ['+4930'] } }),
      caller: [sends('INVITE', sdp()), hears('403 INVITE'), sends('ACK')],
    },
    {
      name: 'RFC 8224 §4: Identity passes as it is',
      caller: [
        sends('INVITE', {
          headers: { Identity: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln;info=<https://cert.example>' },
          ...sdp(),
        }),
        hears('180 INVITE'),
        hears('200 INVITE'),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: [
        hears('INVITE', { Identity: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln;info=<https://cert.example>' }),
        sends('180 INVITE'),
        sends('200 INVITE', sdp()),
        hears('ACK'),
        ...isHungUp,
      ],
      ends: 'hangup',
    },
    {
      name: 'RFC 3325 §7: an untrusted trunk learns nothing of a caller who wants privacy',
      calleeTrunk: () => ({ trusted: false }),
      caller: [
        sends('INVITE', {
          headers: { 'P-Asserted-Identity': '<sip:+4915112345678@192.0.2.1>', Privacy: 'id' },
          ...sdp(),
        }),
        hears('180 INVITE'),
        hears('200 INVITE'),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: [
        hears('INVITE', { From: /anonymous@anonymous\.invalid/, 'P-Asserted-Identity': null }),
        sends('180 INVITE'),
        sends('200 INVITE', sdp()),
        hears('ACK'),
        ...isHungUp,
      ],
      ends: 'hangup',
    },
    {
      name: 'RFC 7044 §4: History-Info passes with our host',
      caller: [
        sends('INVITE', { headers: { 'History-Info': '<sip:+493012345009@192.0.2.1>;index=1' }, ...sdp() }),
        hears('180 INVITE'),
        hears('200 INVITE'),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: [
        hears('INVITE', { 'History-Info': /\+493012345009@127\.0\.0\.1.*index=1/ }),
        sends('180 INVITE'),
        sends('200 INVITE', sdp()),
        hears('ACK'),
        ...isHungUp,
      ],
      ends: 'hangup',
    },
  ],
};

const key = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5';
const secure = { profile: 'RTP/SAVP', more: [key] } as const;

export const mediaFlows: Group = {
  title: 'RFC 3264, RFC 3725, RFC 4568: what is offered and answered',
  scenarios: [
    {
      name: 'RFC 3725 §4.1: INVITE without an offer: the far side offers in its 200, the ACK answers',
      caller: [
        sends('INVITE'),
        hears('180 INVITE'),
        hears('200 INVITE', { body: /m=audio [1-9]/ }),
        sends('ACK', sdp()),
        talks,
        ...hangsUp,
      ],
      callee: [
        hears('INVITE', { body: '' }),
        sends('180 INVITE'),
        sends('200 INVITE', sdp()),
        hears('ACK', { body: /m=audio [1-9]/, 'Content-Type': 'application/sdp' }),
        ...isHungUp,
      ],
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §13.2.1: the ACK of a late offer brings no answer: the call ends',
      caller: [sends('INVITE'), hears('180 INVITE'), hears('200 INVITE'), sends('ACK'), ...isHungUp],
      callee: [
        hears('INVITE', { body: '' }),
        sends('180 INVITE'),
        sends('200 INVITE', sdp()),
        hears('ACK'),
        ...isHungUp,
      ],
      ends: 'not-acceptable-here',
    },
    {
      name: 'RFC 4568 §5.1: the caller offers SRTP, the far side hears RTP',
      caller: [
        sends('INVITE', sdp(secure)),
        hears('180 INVITE'),
        hears('200 INVITE', { body: /RTP\/SAVP [\s\S]+a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/ }),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: [
        hears('INVITE', { body: /m=audio \d+ RTP\/AVP / }),
        sends('180 INVITE'),
        sends('200 INVITE', sdp()),
        hears('ACK'),
        ...isHungUp,
      ],
      ends: 'hangup',
    },
    {
      name: 'RFC 4568 §5.1: the far side requires SRTP, the caller hears RTP',
      calleeTrunk: () => ({ srtp: 'require' }),
      caller: calls(talks, ...hangsUp),
      callee: [
        hears('INVITE', { body: /RTP\/SAVP [\s\S]+a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:/ }),
        sends('180 INVITE'),
        sends('200 INVITE', sdp(secure)),
        hears('ACK'),
        ...isHungUp,
      ],
      ends: 'hangup',
    },
    {
      name: 'RFC 3264 §6.1: a trunk that has one codec is offered that one',
      calleeTrunk: () => ({ codecs: ['PCMA', 'telephone-event'] }),
      caller: calls(talks, ...hangsUp),
      callee: [
        hears('INVITE', { body: /m=audio \d+ RTP\/AVP 8 101\r/ }),
        sends('180 INVITE'),
        sends('200 INVITE', sdp({ codecs: '8 101' })),
        hears('ACK'),
        ...isHungUp,
      ],
      ends: 'hangup',
    },
    {
      name: 'RFC 3264 §6: video is refused, the voice goes on',
      caller: [
        sends('INVITE', sdp({ more: ['m=video 7078 RTP/AVP 99', 'a=rtpmap:99 H264/90000'] })),
        hears('180 INVITE'),
        hears('200 INVITE', { body: /m=video 0 / }),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
    {
      name: 'ITU-T T.38 Annex D: a fax offer is refused, the session stays as it was',
      caller: calls(
        talks,
        sends('INVITE', {
          body: {
            type: 'application/sdp',
            text: [
              'v=0',
              'o=party 7 2 IN IP4 [local_ip]',
              's=-',
              'c=IN IP4 [local_ip]',
              't=0 0',
              'm=image 7000 udptl t38',
              'a=T38FaxVersion:0',
            ].join('\n'),
          },
        }),
        hears('488 INVITE'),
        sends('ACK'),
        ...hangsUp,
      ),
      callee: isCalled(...isHungUp),
      ends: 'hangup',
    },
  ],
};
