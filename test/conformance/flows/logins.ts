// Digest authentication (RFC 3261 §22, RFC 8760) both ways: who calls in logs in, and we log in where we call.
import type { Group } from '../scenario.js';
import { hangsUp, hears, isHungUp, type Step, sdp, sends, talks } from '../steps.js';

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
    {
      name: 'RFC 3261 §22.2: the far side challenges, and we have no credentials: 502',
      caller: [sends('INVITE', sdp()), hears('502 INVITE', { 'Proxy-Authenticate': null }), sends('ACK')],
      callee: [hears('INVITE'), sends('407 INVITE', { headers: { 'Proxy-Authenticate': challenge } }), hears('ACK')],
      ends: 'far-side-failed',
    },
  ],
};
