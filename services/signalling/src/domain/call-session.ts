// One call: it owns the call's state, runs the effects of the state machine on its legs, media and recordings, and reports what came of
// them. Ports may fail, hang or answer late; the call still ends once, with everything given back.
import { setMaxListeners } from 'node:events';
import type { Candidate, Trunk } from '@sidestream/routing';
import type { Logger } from '@sidestream/service';
import { CallDelays } from './call-delays.js';
import { CallEnd } from './call-end.js';
import { CallLegs } from './call-legs.js';
import { CallMedia, mediaTerms } from './call-media.js';
import { CallMembers } from './call-members.js';
import type { CallPlan, CallServices, CallView } from './call-plan.js';
import { type CallRecording, type PlannedRecording, RecordingsOfCall } from './call-recording.js';
import { type NamedTarget, Redirections } from './call-redirections.js';
import { reasonFor, releaseCall } from './call-release.js';
import { type CallEffect, type CallEvent, type CallRelease, type CallState, newCall, stepCall } from './call-state.js';
import { CallTransfer, type TransferableCall } from './call-transfer.js';
import { raced } from './deadline.js';
import { dialWithin, isThere, mayTryNext } from './dialling.js';
import { farInvite } from './far-invite.js';
import type { CallId } from './identifiers.js';
import type { Side } from './offer-answer.js';
import type { Acceptance, CalledTarget, IdentityClaim, Leg, Offered, Refusal } from './ports.js';
import { isRecordAware, LegDescriptions } from './recording-awareness.js';
import { Succession } from './succession.js';
import {
  relayedStatus,
  statusOf,
  type Termination,
  terminated,
  terminationOf,
  terminationOfRefusal,
} from './termination.js';

/** How long the far side may ring (RFC 3261 §16.6 Timer C is above three minutes). */
const ringDeadlineMs = 200_000;

export class CallSession {
  readonly id: CallId;
  /** Resolves when the call is over and everything is given back. */
  readonly ended: Promise<void>;
  readonly #services: CallServices;
  readonly #plan: CallPlan;
  readonly #log: Logger;
  /** Aborted by the first end: whatever is in flight stops. */
  readonly #work = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #state: CallState;
  #resolveEnded: () => void = () => {};
  readonly #legs: CallLegs;
  readonly #media: CallMedia;
  #progress = { status: 180, sdp: '', arrivedAtMs: 0 };
  readonly #nearDescriptions: LegDescriptions;
  readonly #delays: CallDelays;
  #answeredAtMs: number | undefined;
  #end: CallEnd | undefined;
  /** What the caller described: in the INVITE, or in the ACK. */
  #remote: string;
  readonly #recordings: RecordingsOfCall;
  readonly #transfer: CallTransfer;
  /** What another call's transfer may change of this one. */
  readonly transferable: TransferableCall;
  readonly #members: CallMembers;
  /** Those of the plan, and those that a target has named in its place. */
  #candidates: readonly Candidate[];
  readonly #redirections: Redirections;

  constructor(services: CallServices, plan: CallPlan) {
    this.id = plan.facts.callId;
    this.#services = services;
    this.#plan = plan;
    this.#members = new CallMembers(plan);
    this.#candidates = plan.candidates;
    this.#redirections = new Redirections(plan.facts.parties.called.user, (uri, by) =>
      plan.referrals.redirect(plan.nearTrunk, by, plan.facts, uri),
    );
    this.#log = services.log.child({ call: plan.facts.callId });
    this.#recordings = new RecordingsOfCall(plan.recording, {
      onRecorded: () => this.#dispatch({ type: 'recorded' }),
      onUnrecorded: (why) => this.close(terminated('recording-required', `the call must be recorded: ${why}`)),
      onChange: () => this.#legs.indicate(),
      signal: this.#work.signal,
    });
    this.#remote = plan.invite.sdp;
    this.#state = newCall(plan.candidates.length, this.#recordings.plan, plan.invite.sdp === '');
    this.#delays = new CallDelays(plan.invite.receivedAtMs);
    const aware = isRecordAware(plan.invite.header('supported'));
    this.#nearDescriptions = new LegDescriptions(aware);
    if (aware) this.#recordings.prefer('near', plan.invite.sdp);
    const { signal } = this.#work;
    // Each deadline listens until it has passed: many are no leak.
    setMaxListeners(100, signal);
    this.#legs = new CallLegs({
      recordings: this.#recordings,
      onOver: (side, termination) => this.#legOver(side, termination),
      onIdentity: (side, claim) => this.#identified(side, claim),
      onReferral: (side, referral) =>
        this.#step(() => this.#transfer.take(side, this.#members.trunkOf(side), referral)),
      signal,
      log: this.#log,
    });
    const recordings = this.#recordings;
    this.transferable = {
      legs: this.#legs,
      members: this.#members,
      succession: new Succession(),
      admitted: new Map(),
      get recorded() {
        return recordings.goesOn;
      },
      get indication() {
        return recordings.indication;
      },
      signal,
      succeeded: (side, newcomer, trunk) => this.#succeeded(side, newcomer, trunk),
      over: (side, termination) => this.#legOver(side, termination, false),
      close: (termination) => this.close(termination),
    };
    this.#transfer = new CallTransfer({
      call: this.transferable,
      trunking: services.trunking,
      referrals: plan.referrals,
      onTarget: plan.onTarget,
      log: this.#log,
    });
    this.#media = new CallMedia({
      relays: services.relays,
      callId: this.id,
      nearParty: plan.nearParty,
      offer: plan.invite.sdp,
      nearTerms: plan.nearTerms,
      nearDescriptions: this.#nearDescriptions,
      recordings: this.#recordings,
      watcher: {
        onLost: (reason) => this.close(terminated('media-lost', reason)),
        onSilent: (seconds) => this.#silent(seconds),
      },
      signal,
      log: this.#log,
    });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get phase(): CallState['phase'] {
    return this.#state.phase;
  }

  get nearSipCallId(): string {
    return this.#plan.invite.sipCallId;
  }

  get view(): CallView {
    const { invite } = this.#plan;
    const { facts } = this.#members;
    const answeredAt =
      this.#answeredAtMs === undefined
        ? undefined
        : new Date(facts.startedAt.getTime() + this.#answeredAtMs - invite.receivedAtMs);
    return { facts, phase: this.phase, answeredAt, recordings: this.#recordings.views };
  }

  /** The recordings that have begun, ended ones included. */
  get recordings(): readonly CallRecording[] {
    return this.#recordings.begun;
  }

  /** Records the call from now on. False when it is not up. */
  record(recording: CallRecording): boolean {
    if (this.phase !== 'talking' || this.#media.session === undefined) return false;
    this.#recordings.begin(recording, this.#media.session);
    return true;
  }

  /** Begins; everything else follows from events. */
  start(): void {
    const { invite } = this.#plan;
    this.#services.events.callArrived(this.#plan.facts, invite);
    // A turn later: the INVITE goes on before the world hears of it.
    setImmediate(() => this.#services.events.callStarted(this.#plan.facts));
    const onCancel = () =>
      this.#dispatch({ type: 'cancelled', termination: terminated('cancelled', 'the caller gave up') });
    if (invite.cancelled.aborted) onCancel();
    invite.cancelled.addEventListener('abort', onCancel, { once: true });
    this.#dispatch({ type: 'arrived' });
  }

  /** Ends the call for a reason of ours. Idempotent: the first end counts. */
  close(termination: Termination, status = 503): void {
    this.#dispatch({ type: 'failed', status, termination });
  }

  #dispatch(event: CallEvent): void {
    const { state, effects } = stepCall(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: CallEffect): void {
    switch (effect.type) {
      case 'open-media':
        this.#step(() => this.#openMedia());
        return;
      case 'dial':
        this.#step(() => this.#dial(effect.candidate));
        return;
      case 'relay-progress':
        this.#relayProgress();
        return;
      case 'answer-media':
        this.#step(() => this.#answerMedia());
        return;
      case 'start-recording':
        this.#media.beginRecording();
        return;
      case 'await-recording':
        this.#recordings.hold();
        return;
      case 'accept-near':
        this.#step(() => this.#acceptNear());
        return;
      case 'announce-answer':
        this.#announceAnswer();
        return;
      case 'release':
        void this.#release(effect);
        return;
      case 'announce-end':
        this.#announceEnd();
        return;
      default:
        unreachable(effect);
    }
  }

  /** Runs a step that may fail; its failure ends the call. The release waits for it, because it may still bring something. */
  #step(work: () => Promise<void>): void {
    const running = work().catch((error: unknown) => {
      this.#dispatch({ type: 'failed', status: statusOf(error), termination: terminationOf(error) });
    });
    this.#inFlight.add(running);
    void running.finally(() => this.#inFlight.delete(running));
  }

  async #openMedia(): Promise<void> {
    if (this.#state.late) this.#progress = { status: 200, sdp: '', arrivedAtMs: this.#services.clock() };
    const target = this.#candidates[this.#state.candidate];
    if (target === undefined) return;
    await this.#media.open(mediaTerms(target.trunk));
    this.#dispatch({ type: 'media-opened' });
  }

  async #dial(index: number): Promise<void> {
    const { seats, onTarget } = this.#plan;
    const candidate = this.#candidates[index];
    if (candidate === undefined) return;
    const named = this.#redirections.targetAt(candidate);
    if (named !== undefined) this.#expect(named, candidate.trunk);
    const full = seats.moveTo(candidate.trunk.name);
    if (full !== undefined) {
      const termination = terminated('overloaded', full.text);
      return this.#dispatch({ type: 'far-refused', status: 503, another: true, ours: true, termination });
    }
    await this.#media.offerTo(mediaTerms(candidate.trunk));
    const { trunking, clock } = this.#services;
    const isLast = index + 1 === this.#candidates.length;
    const { timeoutMs } = candidate.trunk.config.failover;
    const called = (outcome?: Acceptance | Offered | Refusal) =>
      this.#services.events.targetCalled(this.#members.facts, calledTarget(candidate, outcome));
    const outcome = await dialWithin(
      trunking,
      {
        ...farInvite(candidate, this.#plan, trunking.ownAddress(candidate.protocol), this.#redirections.diverted),
        cancelReason: () => this.#state.termination && reasonFor(this.#state.termination),
        sdp: this.#media.sdp.toFar,
        onSent: () => {
          this.#delays.inviteLeft(clock());
        },
        onProgress: (status, sdp, branch) => {
          onTarget(candidate, true);
          this.#services.events.callRinging(this.#members.facts);
          this.#progress = { status, sdp, arrivedAtMs: clock() };
          // RFC 3261 §13.2.1: no offer comes in a response that is not reliable, and none is without our leave.
          if (!this.#state.late) this.#media.hear(sdp, branch);
          this.#dispatch({ type: 'progressed', status });
        },
      },
      { answerMs: ringDeadlineMs, responseMs: isLast ? undefined : timeoutMs },
      this.#work.signal,
    ).catch((error: unknown) => {
      called();
      throw error;
    });
    called(outcome);
    onTarget(candidate, outcome.kind !== 'refused' || this.#state.rang || isThere(outcome.status));
    if (outcome.kind === 'refused') return this.#refused(candidate, outcome);
    this.#media.heardAnswer(outcome.sdp, outcome.kind === 'accepted' ? outcome.branch : '');
    this.#members.farIs(candidate.trunk);
    if (outcome.kind === 'offered') {
      this.#legs.takeOffering(outcome.leg);
      return this.#dispatch({ type: 'far-answered' });
    }
    this.#legs.take('far', outcome.leg);
    this.#legs.listen('far', outcome.leg);
    if (outcome.leg.recordAware) this.#recordings.prefer('far', outcome.sdp);
    this.#dispatch({ type: 'far-answered' });
  }

  #refused(candidate: Candidate, { status, reason, contact }: Refusal): void {
    const instead = status < 400 && contact !== undefined ? this.#redirections.follow(candidate, contact) : [];
    if (instead.length > 0) {
      this.#log.info({ trunk: candidate.trunk.name, status, places: instead.length }, 'a target redirects the call');
      this.#candidates = [...this.#candidates.slice(0, this.#state.candidate + 1), ...instead];
      this.#dispatch({ type: 'redirected', candidates: instead.length });
      return;
    }
    const termination = terminationOfRefusal(status, reason, this.#state.rang);
    const another = mayTryNext(candidate, status);
    this.#log.info({ trunk: candidate.trunk.name, target: candidate.hostPort, status }, 'a target refuses the call');
    this.#dispatch({ type: 'far-refused', status: relayedStatus(status), another, termination });
  }

  #relayProgress(): void {
    const { status, sdp, arrivedAtMs } = this.#progress;
    this.#media.relayEarly(sdp, async (early) => {
      await this.#plan.invite.ring(status, early);
      this.#delays.ringingPassed(arrivedAtMs, this.#services.clock());
    });
  }

  async #answerMedia(): Promise<void> {
    const arrivedAtMs = this.#services.clock();
    if (!(await this.#media.answer())) return;
    this.#progress = { status: 200, sdp: '', arrivedAtMs };
    this.#dispatch({ type: 'media-answered' });
  }

  async #acceptNear(): Promise<void> {
    const { invite, nearTrunk } = this.#plan;
    const { nearAnswer } = this.#media.sdp;
    if (this.#state.late) {
      const { leg, answer } = await invite.acceptWithOffer(nearAnswer, nearTrunk.name);
      if (!this.#nearAccepted(leg)) return;
      this.#remote = await raced(answer, this.#work.signal);
      if (leg.recordAware) this.#recordings.prefer('near', this.#remote);
      await this.#legs.answerFar(await this.#media.answerOffer(this.#remote));
    } else if (!this.#nearAccepted(await invite.accept(nearAnswer, nearTrunk.name))) return;
    this.#dispatch({ type: 'near-accepted' });
  }

  /** False when the call has ended meanwhile: the release finds the leg and ends it. */
  #nearAccepted(leg: Leg): boolean {
    this.#legs.take('near', leg);
    this.#answeredAtMs = this.#services.clock();
    // A far side that answers without ringing has its 200 measured instead.
    this.#delays.ringingPassed(this.#progress.arrivedAtMs, this.#answeredAtMs);
    if (this.#state.phase !== 'accepting') return false;
    this.#legs.listen('near', leg);
    return true;
  }

  #announceAnswer(): void {
    const { near, far } = this.#legs;
    const { session: media, sdp } = this.#media;
    if (media === undefined || near === undefined || far === undefined) return;
    const { invite, nearParty } = this.#plan;
    const { facts } = this.#members;
    const farParty = this.#members.partyOf('far');
    const farDescriptions = new LegDescriptions(far.recordAware, sdp.toFar);
    this.#legs.agreed(media, {
      near: {
        leg: near,
        party: nearParty,
        remote: this.#remote,
        local: sdp.toNear,
        descriptions: this.#nearDescriptions,
      },
      far: { leg: far, party: farParty, remote: sdp.fromFar, local: sdp.toFar, descriptions: farDescriptions },
    });
    this.#limitDuration();
    this.#services.events.callAnswered(facts, this.#delays.atAnswer(this.#answeredAtMs ?? invite.receivedAtMs));
    const answered = this.#candidates[this.#state.candidate];
    if (answered !== undefined && this.#redirections.targetAt(answered) !== undefined)
      this.#services.events.callTransferred(facts, farParty);
  }

  /** Nobody speaks while it rings, and nobody need speak on hold. */
  #silent(seconds: number): void {
    if (this.phase !== 'talking' || this.#legs.held) return;
    this.close(terminated('media-timeout', `neither party has been heard for ${seconds} s`));
  }

  #limitDuration(): void {
    const { maxDurationMs } = this.#plan.seats;
    if (maxDurationMs === undefined) return;
    const why = `a call on this trunk may last ${maxDurationMs / 1_000} s`;
    const timer = setTimeout(() => this.close(terminated('max-duration', why)), maxDurationMs);
    this.#work.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  /** Whom a target has named in its place is about to be called: who must be recorded is not answered before that. */
  #expect(named: NamedTarget, trunk: Trunk): void {
    this.#members.succeed('far', named, trunk);
    this.#dispatch({ type: 'planned', ...this.#recordings.expect(this.#members.facts, () => this.#newRecording()) });
  }

  /** Whoever calls for help is put through, recorded or not. */
  #newRecording(): PlannedRecording {
    const planned = this.#plan.referrals.record(this.#members.facts);
    return this.#plan.seats.urgent ? { ...planned, required: false } : planned;
  }

  /** Another party, whom the one in its place has named, is in the call now. */
  #succeeded(side: Side, named: NamedTarget, trunk: Trunk): void {
    const { session: media } = this.#media;
    const wasDecided = this.#members.facts.decision.record;
    this.#members.succeed(side, named, trunk);
    this.#plan.seats.succeed(side, trunk.name);
    const { facts } = this.#members;
    this.#services.events.callTransferred(facts, this.#members.partyOf(side));
    if (media) this.#recordings.follow(facts, wasDecided, () => this.#newRecording(), media);
  }

  /** A party says that it is somebody else now, as after a transfer that its own side has made. */
  #identified(side: Side, claim: IdentityClaim): void {
    const trunk = this.#members.trunkOf(side);
    const named = this.#plan.referrals.identify(claim, trunk);
    if (this.phase !== 'talking' || named === undefined || !this.#members.isAnother(side, named)) return;
    // Who wants privacy has to take that back, and not merely not to say so again.
    if (this.#members.identityOf(side).anonymous && !/^\s*none\b/i.test(claim.header('privacy') ?? '')) return;
    this.#log.info({ side }, 'a party is another one now');
    this.#succeeded(side, named, trunk);
  }

  /** @param stays whether the call may go on without this side for a transfer */
  #legOver(side: Side, termination: Termination, stays = true): void {
    const { succession, signal } = this.transferable;
    if (stays && !signal.aborted && succession.left(side, termination)) this.#legs.drop(side);
    else this.#dispatch({ type: side === 'near' ? 'near-over' : 'far-over', termination });
  }

  async #release(release: CallRelease): Promise<void> {
    const { invite } = this.#plan;
    this.#work.abort(new DOMException('the call is over', 'AbortError'));
    const answered = this.#answeredAtMs;
    const { events, clock } = this.#services;
    this.#end = new CallEnd({
      events,
      facts: this.#members.facts,
      termination: release.termination,
      durationMs: answered === undefined ? 0 : clock() - answered,
    });
    await releaseCall(release, {
      invite,
      holdings: () => ({ near: this.#legs.near, far: this.#legs.farHeld, media: this.#media.session }),
      inFlight: [...this.#inFlight, this.#media.settled],
      stopRecordings: (why) => this.#recordings.stop(why, release.recording),
      onMedia: (counts) => this.#services.events.mediaCounted(this.#members.facts, counts),
      log: this.#log,
    });
    this.#dispatch({ type: 'released' });
  }

  #announceEnd(): void {
    // Behind the start of a call that ends in the turn of its INVITE.
    setImmediate(() => {
      this.#end?.released();
      this.#resolveEnded();
    });
  }
}

/** @param outcome undefined: the call ended before there was one */
function calledTarget(
  { trunk, hostPort: peer }: Candidate,
  outcome: Acceptance | Offered | Refusal | undefined,
): CalledTarget {
  const status = outcome === undefined ? 0 : outcome.kind === 'refused' ? outcome.status : 200;
  // A target that has answered with an offer has its dialog when it is acknowledged.
  const sipCallId = outcome?.kind === 'accepted' ? outcome.leg.dialog.sipCallId : '';
  return { trunk: trunk.name, peer, status, sipCallId };
}

function unreachable(value: never): never {
  throw new TypeError(`unknown effect ${JSON.stringify(value)}`);
}
