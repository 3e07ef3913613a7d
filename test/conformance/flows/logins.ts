// Digest authentication (RFC 3261 §22, RFC 8760) both ways: who calls in logs in, and we log in where we call.
import type { Group, Scenario } from '../scenario.js';
import { calls, hangsUp, hears, isCalled, isHungUp, type Step, sdp, sends, talks, waits } from '../steps.js';

/** Also the password in the file that trunks are told of. */
export const flowPassword = 'conformance';

const digest = (file: string, algorithms?: readonly ['MD5']) => ({
  digest: {
    realm: 'sbc.example',
    users: [{ username: 'pbx', passwordFile: file }],
    ...(algorithms !== undefined && { algorithms: [...algorithms] }),
  },
});
const credentials = (file: string) => ({ credentials: { username: 'contoso', passwordFile: file } });

/** An INVITE that is challenged, and the next one with credentials of this password. */
const logsIn = (password: string): Step[] => [
  sends('INVITE', sdp()),
  hears('401 INVITE', { 'WWW-Authenticate': /^Digest .*realm="sbc\.example".*nonce="/ }),
  sends('ACK'),
  sends('INVITE', { line: `[authentication username=pbx password=${password}]`, ...sdp() }),
];
const answersCall: readonly Step[] = [sends('180 INVITE'), sends('200 INVITE', sdp()), hears('ACK'), ...isHungUp];
const isAnswered: readonly Step[] = [hears('180 INVITE'), hears('200 INVITE'), sends('ACK'), talks, ...hangsUp];
const challenge = 'Digest realm="carrier.example", nonce="0123456789abcdef", algorithm=MD5, qop="auth"';
const answer =
  /^Digest (?=.*username="contoso")(?=.*realm="carrier\.example")(?=.*nc=00000001)(?=.*response="[0-9a-f]{32}")/;

/** Within a call that is up. */
const challengesBye: readonly Step[] = [
  hears('BYE', { Authorization: null }),
  sends('401 BYE', { headers: { 'WWW-Authenticate': challenge } }),
  hears('BYE', { Authorization: answer }),
  sends('200 BYE'),
];
const challengesOffer: readonly Step[] = [
  hears('INVITE', { 'Proxy-Authorization': null }),
  sends('407 INVITE', { headers: { 'Proxy-Authenticate': challenge } }),
  hears('ACK'),
  hears('INVITE', { 'Proxy-Authorization': answer, body: /a=sendonly/ }),
  sends('200 INVITE', sdp({ direction: 'recvonly', version: 2 })),
  hears('ACK'),
  hears('BYE', { 'Proxy-Authorization': /nc=00000002/ }),
  sends('200 BYE'),
];

export const loginFlows: Group = {
  title: 'RFC 3261 §22, RFC 8760: logging in',
  scenarios: [
    {
      name: 'RFC 3665 §3.3: the caller is challenged and logs in',
      callerTrunk: ({ passwordFile }) => digest(passwordFile, ['MD5']),
      caller: [...logsIn(flowPassword), ...isAnswered],
      callee: [hears('INVITE', { Authorization: null, 'Proxy-Authorization': null }), ...answersCall],
      ends: 'hangup',
    },
    {
      name: 'RFC 3261 §22.4: a wrong password is challenged again, no call comes',
      callerTrunk: ({ passwordFile }) => digest(passwordFile, ['MD5']),
      caller: [...logsIn('a guess'), hears('401 INVITE'), sends('ACK')],
    },
    {
      name: 'RFC 8760 §2.4: SHA-256 is offered before MD5',
      callerTrunk: ({ passwordFile }) => digest(passwordFile),
      caller: [
        sends('INVITE', sdp()),
        hears('401 INVITE', { 'WWW-Authenticate': /algorithm="?SHA-256"?/ }),
        sends('ACK'),
      ],
    },
    ...(
      [
        ['407', 'Proxy-Authenticate', 'Proxy-Authorization'],
        ['401', 'WWW-Authenticate', 'Authorization'],
      ] as const
    ).map(([status, asks, says]) => ({
      name: `RFC 3261 §22: the far side challenges with ${status}, we log in, the caller notices nothing`,
      calleeTrunk: ({ passwordFile }: { passwordFile: string }) => credentials(passwordFile),
      caller: [sends('INVITE', sdp()), ...isAnswered],
      callee: [
        hears('INVITE', { [says]: null }),
        sends(`${status} INVITE`, { headers: { [asks]: challenge } }),
        hears('ACK'),
        hears('INVITE', { [says]: answer }),
        ...answersCall,
      ],
      ends: 'hangup',
    })),
    ...(['by the caller', 'by the callee'] as const).flatMap((who): Scenario[] => {
      const nearAsks = who === 'by the caller';
      const trunk = ({ passwordFile }: { passwordFile: string }) => credentials(passwordFile);
      const logsIn = nearAsks ? { callerTrunk: trunk } : { calleeTrunk: trunk };
      const flow = (asks: readonly Step[], other: readonly Step[]) => ({
        ...logsIn,
        caller: calls(...(nearAsks ? asks : [talks, ...other])),
        callee: isCalled(...(nearAsks ? [talks, ...other] : asks)),
        ends: 'hangup',
      });
      return [
        { name: `RFC 3261 §22.2: our BYE is challenged, ${who}`, ...flow(challengesBye, hangsUp) },
        {
          name: `RFC 3261 §22.3: our re-INVITE is challenged and our BYE after it logs in at once, ${who}`,
          ...flow(challengesOffer, [
            sends('INVITE', sdp({ direction: 'sendonly', version: 2 })),
            hears('200 INVITE', { body: /a=recvonly/ }),
            sends('ACK'),
            waits(50),
            ...hangsUp,
          ]),
        },
      ];
    }),
    {
      name: 'RFC 3261 §22.2: the far side challenges, and we have no credentials: 502',
      caller: [sends('INVITE', sdp()), hears('502 INVITE', { 'Proxy-Authenticate': null }), sends('ACK')],
      callee: [hears('INVITE'), sends('407 INVITE', { headers: { 'Proxy-Authenticate': challenge } }), hears('ACK')],
      ends: 'far-side-failed',
    },
  ],
};
