// Transfers that come to nothing (RFC 3515, RFC 3891): what who asks hears, and that the call goes on. Those that succeed have voices to
// compare, and are in e2e/transfer.test.ts.
import type { Group, Scenario } from '../scenario.js';
import { calls, hangsUp, hears, isCalled, isHungUp, type Sent, type Step, sdp, sends, talks } from '../steps.js';

/** An INVITE that nobody else hears of. */
function refused(name: string, headers: NonNullable<Sent['headers']>, status: number): Scenario {
  return { name, caller: [sends('INVITE', { ...sdp(), headers }), hears(`${status} INVITE`), sends('ACK')] };
}

/** A REFER that is refused, by either side, and a call that goes on. */
function refers(name: string, headers: NonNullable<Sent['headers']>, status: number): Scenario[] {
  const does: readonly Step[] = [talks, sends('REFER', { headers }), hears(`${status} REFER`), ...hangsUp];
  return [
    { name: `${name}, by the caller`, caller: calls(...does), callee: isCalled(...isHungUp), ends: 'hangup' },
    { name: `${name}, by the callee`, caller: calls(...isHungUp), callee: isCalled(...does), ends: 'hangup' },
  ];
}

const nobody = 'nobody;to-tag=a;from-tag=b';

const target = { 'Refer-To': '<sip:+4915112345678@b.invalid>' };
const refusedByTrunk: Scenario = {
  name: 'RFC 3515 §2.4.2: REFER of a trunk that may not transfer',
  caller: calls(talks, sends('REFER', { headers: target }), hears('603 REFER'), ...hangsUp),
  callee: isCalled(...isHungUp),
  ends: 'hangup',
  callerTrunk: () => ({ refer: 'refuse' }),
};

export const transferFlows: Group = {
  title: 'RFC 3515 and RFC 3891: transfers that are refused',
  scenarios: [
    refused('RFC 3891 §3: Replaces that names no dialog', { Replaces: nobody, Require: 'replaces' }, 481),
    refused('RFC 3891 §6.1: Replaces that can not be read', { Replaces: 'nobody;to-tag=a' }, 400),
    refused('RFC 3891 §3: two dialogs to be replaced', { Replaces: [nobody, nobody] }, 400),
    ...refers('RFC 3515 §2.4.2: REFER without a target', {}, 400),
    ...refers('RFC 3515 §2.4.2: REFER to two targets', { 'Refer-To': ['<sip:a@b.invalid>', '<sip:c@d.invalid>'] }, 400),
    ...refers('RFC 3515 §2.4.2: REFER to another method', { 'Refer-To': '<sip:a@b.invalid;method=BYE>' }, 603),
    ...refers(
      'RFC 5589 §7: REFER with a dialog that none of the own side has',
      { 'Refer-To': '<sip:+4915112345678@b.invalid?Replaces=nobody%3Bto-tag%3Da%3Bfrom-tag%3Db>' },
      404,
    ),
    refusedByTrunk,
  ],
};
