// An INVITE with Replaces (RFC 3891): whoever sends it takes the place of one party of a call that is up, whose dialog is hung up on. What
// fails leaves the call as it was, and the newcomer hears why.
import type { Logger } from '@sidestream/service';
import { explained } from './admission.js';
import type { CallSide } from './call-join.js';
import { mediaTerms } from './call-media.js';
import type { NamedTarget } from './call-redirections.js';
import { raced, within } from './deadline.js';
import type { AgreedLeg } from './offer-answer.js';
import type { IncomingInvite, Leg } from './ports.js';
import { isRecordAware, LegDescriptions } from './recording-awareness.js';
import { statusOf } from './termination.js';

const byeDeadlineMs = 5_000;

/**
 * Resolves when the newcomer is in the call or has been refused; never rejects.
 *
 * @param place in a call without a transfer pending
 * @param newcomer as its trunk says, behind which it is
 */
export async function replaceLeg(
  { call, side }: CallSide,
  invite: IncomingInvite,
  newcomer: NamedTarget,
  log: Logger,
): Promise<void> {
  const vacancy = call.succession.open(side);
  let leg: Leg | undefined;
  try {
    leg = await seat({ call, side }, invite, newcomer, (accepted) => {
      leg = accepted;
    });
    call.signal.throwIfAborted();
    const before = call.legs.of(side);
    call.legs.succeed(side, leg);
    vacancy.close();
    call.succeeded(side, newcomer, newcomer.by);
    await before?.bye(undefined, within(undefined, byeDeadlineMs));
  } catch (error) {
    log.info({ err: error, side }, 'a newcomer could not take the place of a party; the call stays as it was');
    // RFC 3891 §3: the dialog to be replaced has ended.
    const status = call.signal.aborted ? 603 : statusOf(error);
    await invite.refuse(status, explained(status, 'the place in the call could not be taken'));
    await leg?.bye(undefined, within(undefined, byeDeadlineMs));
    if (vacancy.left) call.over(side, vacancy.left);
  } finally {
    vacancy.close();
  }
}

/** @param onLeg told of the newcomer's leg, which there may be though it can not stay. @throws SidestreamError */
async function seat(
  { call, side }: CallSide,
  invite: IncomingInvite,
  { by }: NamedTarget,
  onLeg: (leg: Leg) => void,
): Promise<Leg> {
  const { offers } = call.legs;
  const place = call.legs.agreedWith(side);
  if (offers === undefined || place === undefined) throw new Error('the call is not up');
  const { party } = place;
  const terms = { newcomer: mediaTerms(by), before: mediaTerms(call.members.trunkOf(side)) };
  const descriptions = new LegDescriptions(isRecordAware(invite.header('supported')));
  const describe = (sdp: string) => descriptions.describe(sdp, call.indication);
  const accepted = (leg: Leg): Leg => {
    onLeg(leg);
    return leg;
  };
  if (invite.sdp !== '') {
    const agreed = { party, remote: invite.sdp, descriptions };
    return offers.admit(side, terms, agreed, async (answer) =>
      accepted(await invite.accept(describe(answer), by.name)),
    );
  }
  const met = await offers.adopt(
    side,
    terms,
    async (local): Promise<AgreedLeg> => {
      const { leg, answer } = await invite.acceptWithOffer(describe(local), by.name);
      accepted(leg);
      return { leg, party, remote: await raced(answer, call.signal), local, descriptions };
    },
    invite.cancelled,
  );
  return met.leg;
}
