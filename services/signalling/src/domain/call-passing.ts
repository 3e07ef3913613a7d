// A REFER that is passed on: the other party is told to call the number through us, and what it says of that goes back to who referred.
// What it does then is a call of its own, which its trunk may make or not.
import { formatReferTo, parseUri, type ReferTarget } from '@sidestream/sip';
import { explained } from './admission.js';
import type { CallSide } from './call-join.js';
import type { Referrals } from './call-referrals.js';
import { within } from './deadline.js';
import { opposite } from './offer-answer.js';
import type { IncomingReferral, Trunking } from './ports.js';
import { relayedStatus, statusOf, terminated } from './termination.js';

export interface PassingOptions {
  readonly trunking: Pick<Trunking, 'ownAddress'>;
  readonly referrals: Pick<Referrals, 'numberFor' | 'legNamed'>;
  /** How long who refers is told what comes of it. */
  readonly lastsSeconds: number;
}

const answerDeadlineMs = 10_000;

/** Resolves when the other party has answered the REFER; never rejects. */
export async function passReferral(
  { call, side }: CallSide,
  target: ReferTarget,
  referral: IncomingReferral,
  { trunking, referrals, lastsSeconds }: PassingOptions,
): Promise<void> {
  const refuse = (status: number, text: string) => referral.refuse(status, explained(status, text));
  const { legs, members, signal } = call;
  const stays = opposite(side);
  const leg = legs.of(stays);
  const [from, to] = [members.trunkOf(side), members.trunkOf(stays)];
  const number = referrals.numberFor(from, to, target.uri);
  if (leg === undefined || number === '') return refuse(404, 'the reference names no number');
  if (target.replaces !== undefined) {
    const named = referrals.legNamed(target.replaces, from);
    if (named === undefined || !('call' in named) || named.call === call)
      return refuse(404, 'the dialog to be replaced is not one of the own side');
    // The other party's INVITE comes to us, and who may be replaced has asked for it.
    named.call.admitted.set(named.side, to.name);
  }
  const { transport } = to.config;
  const own = trunking.ownAddress(transport);
  const uri = parseUri(`sip:${number}@${own}${transport === 'udp' ? '' : `;transport=${transport}`}`);
  const { user: referrer } = members.identityOf(side);
  const headers = {
    'Refer-To': formatReferTo({ uri, ...(target.replaces && { replaces: target.replaces }) }),
    ...(referrer === '' ? {} : { 'Referred-By': `<sip:${referrer}@${own}>` }),
  };
  // NOTIFY may overtake the response.
  const early: number[] = [];
  let tell = (status: number): void => void early.push(status);
  try {
    const status = await leg.refer(headers, (told) => tell(told), within(signal, answerDeadlineMs));
    // RFC 5057 §5.1: it does not know the dialog any more.
    if (status === 481 || status === 408)
      call.over(stays, terminated('far-side-failed', `${stays} leg answered ${status} to REFER`));
    if (status >= 300) return refuse(status === 481 ? 480 : relayedStatus(status), 'the other party does not take it');
    referral.accept(lastsSeconds);
    tell = (told) => void referral.notify(told);
    for (const told of early.length === 0 ? [100] : early) tell(told);
  } catch (error) {
    refuse(statusOf(error), 'the other party has not answered');
  }
}
