// Attended transfer (RFC 5589 §7) between two calls of ours: whoever refers is in both, and the two others are to talk to each other. One
// of the calls takes over the other party of the other one, within the dialog that this has with us, and goes on; the other call ends.
import { type Logger, pause, SidestreamError } from '@sidestream/service';
import { parseUri } from '@sidestream/sip';
import { mediaTerms } from './call-media.js';
import type { Referrals } from './call-referrals.js';
import type { TransferableCall } from './call-transfer.js';
import { raced, within } from './deadline.js';
import { type AgreedLeg, opposite, type Side } from './offer-answer.js';
import type { CallFacts, IncomingReferral, Leg } from './ports.js';
import { PartyRefusal, statusOf, terminated } from './termination.js';

/** A call, and the side of it on which who refers is. */
export interface CallSide {
  readonly call: TransferableCall;
  readonly side: Side;
}

const answerDeadlineMs = 35_000;
const byeDeadlineMs = 5_000;
/** Who referred hangs up when it hears of the success (RFC 5589 §7.1); who does not is hung up on. */
const graceMs = 2_000;

/**
 * Joins the other parties of two calls that are up, neither with a transfer pending; resolves when that is over, never rejects. What fails
 * leaves both calls as they were, but for those whose referring party has left meanwhile.
 *
 * @param referring the call in which the reference came
 * @param referral accepted already
 */
export async function joinCalls(
  referring: CallSide,
  other: CallSide,
  referral: Pick<IncomingReferral, 'notify'>,
  referrals: Pick<Referrals, 'regard'>,
  log: Logger,
): Promise<void> {
  const [goesOn, ends] = survivor(referring, other, referrals);
  const [place, rest] = [goesOn, ends].map(({ call, side }) => ({ call, side, vacancy: call.succession.open(side) }));
  try {
    const { before, gone } = await aloneIn(ends.call, async () => {
      const taken = await take(goesOn, ends);
      place?.vacancy.close();
      await raced(referral.notify(200), within(goesOn.call.signal, graceMs)).catch(() => {});
      ends.call.close(terminated('transferred', `its other party goes on in call ${goesOn.call.members.facts.callId}`));
      return taken;
    });
    if (before === undefined) return;
    // RFC 3891 §3: the replaced dialog is hung up on at once.
    if (goesOn === referring) await pause(graceMs, AbortSignal.any([gone, goesOn.call.signal]));
    await before.bye(undefined, within(undefined, byeDeadlineMs));
  } catch (error) {
    log.warn({ err: error }, 'two calls could not be joined; they stay as they were');
    // RFC 3891 §3: the dialog to be replaced has ended.
    void referral.notify(ends.call.signal.aborted ? 603 : statusOf(error));
    for (const { call, side, vacancy } of [place, rest].flatMap((one) => one ?? []))
      if (vacancy.left) call.over(side, vacancy.left);
  } finally {
    place?.vacancy.close();
    rest?.vacancy.close();
  }
}

/** First the call that goes on: the one that is recorded then, where that is only one of them; else the one in which the reference came. */
function survivor(
  referring: CallSide,
  other: CallSide,
  referrals: Pick<Referrals, 'regard'>,
): readonly [goesOn: CallSide, ends: CallSide] {
  const weight = (goesOn: CallSide, ends: CallSide) => {
    const { call } = goesOn;
    const { decision } = regarded(goesOn, ends, referrals);
    if (call.recorded && (decision.record || !call.members.facts.decision.record)) return 2;
    return decision.record ? 1 : 0;
  };
  return weight(other, referring) > weight(referring, other) ? [other, referring] : [referring, other];
}

/** The call that goes on, as it would be. */
function regarded(goesOn: CallSide, ends: CallSide, referrals: Pick<Referrals, 'regard'>): CallFacts {
  const { members } = goesOn.call;
  const newcomer = newcomerOf(ends);
  return referrals.regard(members.facts, members.partyOf(goesOn.side), newcomer, newcomer.by);
}

function newcomerOf({ call: { members }, side }: CallSide) {
  const stays = opposite(side);
  const { uri, name } = members.identityOf(stays);
  return { uri: parseUri(uri), name, by: members.trunkOf(stays) };
}

/** Runs it while nobody in the call may change its media. */
function aloneIn<T>({ legs }: TransferableCall, work: () => Promise<T>): Promise<T> {
  if (legs.offers === undefined) throw new SidestreamError('wrong-state', 'a call is not up');
  return legs.offers.alone(work);
}

/** The call that goes on has the other one's other party when this resolves. @throws SidestreamError: nothing has changed */
async function take(goesOn: CallSide, ends: CallSide): Promise<{ before: Leg | undefined; gone: AbortSignal }> {
  const { call, side } = goesOn;
  const lent = opposite(ends.side);
  const borrowed = ends.call.legs.agreedWith(lent);
  const place = call.legs.agreedWith(side);
  if (call.legs.offers === undefined || borrowed === undefined || place === undefined)
    throw new SidestreamError('wrong-state', 'a call is not up');
  const { leg, local } = borrowed;
  const descriptions = borrowed.descriptions.carried(local);
  let offered = false;
  const meet = async (sdp: string): Promise<AgreedLeg> => {
    const either = AbortSignal.any([call.signal, ends.call.signal]);
    const response = await leg.reinvite(descriptions.describe(sdp, call.indication), within(either, answerDeadlineMs));
    const { status } = response;
    // RFC 5057 §5.1: it does not know the dialog any more.
    if (status === 481 || status === 408)
      ends.call.over(lent, terminated('far-side-failed', `${lent} leg answered ${status} to an offer`));
    if (status >= 300) throw new PartyRefusal(status, 'the party to be joined');
    offered = true;
    return { leg, party: place.party, remote: response.sdp, local: sdp, descriptions };
  };
  const newcomer = newcomerOf(ends);
  const terms = { newcomer: mediaTerms(newcomer.by), before: mediaTerms(call.members.trunkOf(side)) };
  try {
    await call.legs.offers.adopt(side, terms, meet, ends.call.signal);
    call.signal.throwIfAborted();
  } catch (error) {
    if (offered && !ends.call.signal.aborted) {
      ends.call.legs.agree(lent, { ...borrowed, descriptions });
      // Its call goes on whatever it says to what it had agreed on before.
      const back = descriptions.describe(local, ends.call.indication);
      const status = await leg.reinvite(back, within(ends.call.signal, answerDeadlineMs)).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 481 || status === 408)
        ends.call.over(lent, terminated('far-side-failed', `${lent} leg answered ${status} to an offer`));
    }
    throw error;
  }
  const before = call.legs.of(side);
  ends.call.legs.drop(lent);
  const gone = call.legs.succeed(side, leg);
  call.succeeded(side, newcomer, newcomer.by);
  return { before, gone };
}
