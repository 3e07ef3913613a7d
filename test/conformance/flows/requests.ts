// What an INVITE and other requests may look like: refusals of our own (RFC 3261 §8.2, §16.3), identities, hard-to-read messages.
import type { Group, Scenario } from '../scenario.js';
import {
  hangsUp,
  hears,
  hearsAgain,
  isCalled,
  isHungUp,
  type Sent,
  type Step,
  sdp,
  sends,
  talks,
  waits,
} from '../steps.js';

type Wanted = Parameters<typeof hears>[1];

/** A request that is refused, and of which no other party hears. */
function refused(name: string, kind: string, how: Sent, status: number, wanted: Wanted = {}): Scenario {
  const acknowledged: Step[] = kind === 'INVITE' ? [sends('ACK')] : [];
  return { name, caller: [sends(kind, how), hears(`${status} ${kind}`, wanted), ...acknowledged] };
}

/** A call whose INVITE is like this and reaches the callee like that. */
function reaches(name: string, how: Sent, wanted: Wanted): Scenario {
  return {
    name,
    caller: [
      sends('INVITE', { ...sdp(), ...how }),
      hears('180 INVITE'),
      hears('200 INVITE'),
      sends('ACK'),
      talks,
      ...hangsUp,
    ],
    callee: [hears('INVITE', wanted), sends('180 INVITE'), sends('200 INVITE', sdp()), hears('ACK'), ...isHungUp],
    ends: 'hangup',
  };
}

const wrongPlace = '<sip:+4915112345678@192.0.2.1>';

export const screeningFlows: Group = {
  title: 'RFC 3261 §8.2, §11: requests that are answered here',
  scenarios: [
    refused('RFC 3261 §16.3: Max-Forwards 0', 'INVITE', { ...sdp(), headers: { 'Max-Forwards': '0' } }, 483),
    refused(
      'RFC 3261 §8.2.2.3: an extension that nobody knows is required',
      'INVITE',
      { ...sdp(), headers: { Require: 'nothing-that-we-know' } },
      420,
      { Unsupported: /nothing-that-we-know/ },
    ),
    refused(
      'RFC 3261 §8.2.3: a body of a type that nobody understands',
      'INVITE',
      { body: { type: 'application/nonsense', text: 'nonsense' } },
      415,
      { Accept: /application\/sdp/ },
    ),
    refused('RFC 3261 §8.1.1.8: INVITE without Contact', 'INVITE', { ...sdp(), headers: { Contact: null } }, 400),
    refused(
      'RFC 3261 §8.1.1.3: INVITE without a tag in From',
      'INVITE',
      { ...sdp(), headers: { From: '<sip:+4915112345678@[local_ip]>' } },
      400,
    ),
    refused('RFC 3428 §5: MESSAGE outside a session', 'MESSAGE', { body: { type: 'text/plain', text: 'x' } }, 405),
    refused('RFC 6665 §4.2: SUBSCRIBE', 'SUBSCRIBE', { headers: { Event: 'presence', Expires: '600' } }, 405),
    refused('RFC 3261 §10.3: REGISTER', 'REGISTER', {}, 405),
    refused('RFC 3903 §6: PUBLISH', 'PUBLISH', { headers: { Event: 'presence' } }, 405),
    refused('RFC 3261 §11.2: OPTIONS', 'OPTIONS', {}, 200, { Allow: /INVITE.*UPDATE/, Accept: /application\/sdp/ }),
    refused(
      'SIPconnect 1.1 §7.3: OPTIONS without a user as a keepalive',
      'OPTIONS',
      { uri: 'sip:[remote_ip]:[remote_port]' },
      200,
    ),
  ],
};

export const identityFlows: Group = {
  title: 'SIPconnect 1.1, RFC 3323, RFC 3325: who calls whom',
  scenarios: [
    reaches(
      'RFC 3261 §16.6: Max-Forwards goes down by one',
      { headers: { 'Max-Forwards': '12' } },
      { 'Max-Forwards': '11' },
    ),
    reaches(
      'RFC 3261 §8.1.1.6: no Max-Forwards counts as 70',
      { headers: { 'Max-Forwards': null } },
      { 'Max-Forwards': '69' },
    ),
    reaches(
      "SIPconnect 1.1 §12.1: P-Asserted-Identity passes with the host's place taken",
      { headers: { 'P-Asserted-Identity': `"Ada" ${wrongPlace}` } },
      { 'P-Asserted-Identity': /^"?Ada"? <sip:\+4915112345678@127\.0\.0\.1[:>]/ },
    ),
    reaches(
      'RFC 3323 §4.1.1.3: an anonymous caller stays anonymous',
      {
        headers: {
          From: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=[pid]a',
          'P-Asserted-Identity': wrongPlace,
          Privacy: 'id',
        },
      },
      { From: /anonymous@anonymous\.invalid/, Privacy: 'id' },
    ),
    reaches(
      'RFC 5806 §4: Diversion passes with its parameters',
      { headers: { Diversion: '<sip:+493012345009@192.0.2.1>;reason=unconditional' } },
      { Diversion: /\+493012345009@127\.0\.0\.1.*reason=unconditional/ },
    ),
    reaches(
      'RFC 3966: tel URIs as identities',
      { headers: { From: '<tel:+4915112345678>;tag=[pid]a', 'P-Asserted-Identity': '<tel:+4915112345678>' } },
      { 'P-Asserted-Identity': /tel:\+4915112345678/, From: /\+4915112345678/ },
    ),
    reaches('RFC 3966: a tel URI is called', { uri: 'tel:+493012345001' }, { uri: /^sip:\+493012345001@/ }),
    reaches(
      'RFC 3261 §19.1.1: parameters of the Request-URI stay on their side',
      { uri: 'sip:+493012345001@[remote_ip]:[remote_port];user=phone;tgrp=secret;internal' },
      { uri: /^sip:\+493012345001@[^;]*(;transport=tcp)?$/ },
    ),
    reaches(
      'RFC 3261 §25.1: a display name in UTF-8',
      { headers: { From: '"Jürgen Schröder 株式会社" <sip:+4915112345678@[local_ip]>;tag=[pid]a' } },
      { From: /^"Jürgen Schröder 株式会社" </ },
    ),
    reaches(
      'RFC 3261 §25.1: a display name with quotes and backslashes',
      { headers: { From: '"A \\"B\\" \\\\ C" <sip:+4915112345678@[local_ip]>;tag=[pid]a' } },
      { From: /^"A \\"B\\" \\\\ C" </ },
    ),
    reaches(
      'topology: headers of the other side stay there',
      {
        headers: {
          'X-Internal': 'secret',
          Server: 'secret',
          Organization: 'secret',
          'Call-Info': '<http://192.0.2.1/secret>',
          Subject: 'secret',
        },
      },
      { 'X-Internal': null, Server: null, Organization: null, 'Call-Info': null, Subject: null },
    ),
  ],
};

const filler = 'x'.repeat(1_500);

export const syntaxFlows: Group = {
  title: 'RFC 3261 §7, §20, §25: messages that are hard to read',
  scenarios: [
    reaches(
      'RFC 3261 §7.3.3: compact header names',
      {
        headers: {
          Via: null,
          v: 'SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]s1',
          Contact: null,
          m: '<sip:compact@[local_ip]:[local_port];transport=[transport]>',
          Supported: null,
          k: 'replaces',
          'Content-Type': null,
          c: 'application/sdp',
        },
      },
      { body: /m=audio [1-9]/ },
    ),
    reaches(
      'RFC 3261 §7.3.1: a folded header',
      { headers: { Subject: 'one\n[$fold]two', Diversion: '<sip:+493012345009@192.0.2.1>\n[$fold];reason=no-answer' } },
      { Diversion: /reason=no-answer/ },
    ),
    reaches(
      'RFC 3261 §7.3.1: long headers',
      { headers: { 'X-Long': filler, 'User-Agent': filler } },
      { 'X-Long': null },
    ),
    reaches(
      'RFC 3261 §7.3.1: names in any case, blanks before the colon',
      { headers: { 'Max-Forwards': null, 'MAX-forwards ': ' 20' } },
      { 'Max-Forwards': '19' },
    ),
    reaches(
      'RFC 3261 §18.2.2: several Via values come back in each response',
      {
        headers: {
          Via: [
            'SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]s1',
            'SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKother',
          ],
        },
      },
      { Via: /branch=z9hG4bK/ },
    ),
    reaches(
      'RFC 3581 §4: rport',
      { headers: { Via: 'SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]s1;rport' } },
      {},
    ),
    reaches(
      'RFC 5621 §8: a session description within a multipart body',
      {
        body: {
          type: 'multipart/mixed;boundary="edge"',
          text: `--edge\nContent-Type: application/sdp\n\n${sdp().body.text}\n--edge\nContent-Type: text/plain\n\nhello\n--edge--\n`,
        },
      },
      { 'Content-Type': 'application/sdp', body: /^v=0\r\n(.*\r\n)*m=audio [1-9]/ },
    ),
    reaches('RFC 4733 §4: telephone-event is offered on', {}, { body: /a=rtpmap:101 telephone-event\/8000/ }),
    {
      name: 'RFC 3261 §17.1.1.3: an ACK with a branch of its own for a refusal is taken for none: the refusal comes again',
      protocol: 'udp',
      withoutRetransmission: true,
      caller: [
        sends('INVITE', sdp()),
        hears('486 INVITE'),
        sends('ACK', { branch: 'z9hG4bK[pid]wrong' }),
        hearsAgain('486 INVITE'),
        sends('ACK'),
      ],
      callee: [hears('INVITE'), sends('486 INVITE'), hears('ACK')],
      ends: 'busy',
    },
    {
      name: 'RFC 3261 §8.2.2.2: the same request by another path: 482',
      caller: [
        sends('INVITE', sdp()),
        hears('180 INVITE'),
        sends('INVITE', {
          ...sdp(),
          cseq: 1,
          uri: 'sip:+493012345001@[remote_ip]:[remote_port]',
          headers: { To: '<sip:+493012345001@[remote_ip]:[remote_port]>' },
          branch: 'z9hG4bK[pid]path',
        }),
        hears('482 INVITE'),
        sends('ACK'),
        hears('200 INVITE'),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: [hears('INVITE'), sends('180 INVITE'), waits(300), sends('200 INVITE', sdp()), hears('ACK'), ...isHungUp],
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §19.1.4, emergency: urn:service:sos is called',
      caller: [
        sends('INVITE', { uri: 'urn:service:sos', headers: { To: '<urn:service:sos>' }, ...sdp() }),
        hears('180 INVITE'),
        hears('200 INVITE'),
        sends('ACK'),
        talks,
        ...hangsUp,
      ],
      callee: isCalled(...isHungUp),
      ends: 'hangup',
      recorded: false,
    },
  ],
};
