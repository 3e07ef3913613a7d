// One call: it owns the call's state, legs and media, runs the effects of the state machine and reports what came of them. Ports may
// fail, hang or answer late; the call still ends once, with everything given back.
import type { Logger } from '@sidestream/service';
import { CallDelays } from './call-delays.js';
import { type CallRecording, type PlannedRecording, RecordingsOfCall, type RecordingView } from './call-recording.js';
import { releaseCall } from './call-release.js';
import { type CallEffect, type CallEvent, type CallRelease, type CallState, newCall, stepCall } from './call-state.js';
import { within } from './deadline.js';
import { farHeaders } from './far-headers.js';
import type { CallId } from './identifiers.js';
import { type AgreedLeg, OfferAnswer, type Side } from './offer-answer.js';
import type { Party } from './parties.js';
import { flowsBothWays, partyFlows } from './party-flows.js';
import type {
  CallEvents,
  CallFacts,
  IncomingInfo,
  IncomingInvite,
  Leg,
  MediaRelays,
  MediaSession,
  MonotonicClock,
  Refusal,
  Trunking,
} from './ports.js';
import { isRecordAware, LegDescriptions } from './recording-awareness.js';
import { type Candidate, requestUriAt } from './routing.js';
import {
  relayedStatus,
  statusOf,
  type Termination,
  terminated,
  terminationOf,
  terminationOfRefusal,
} from './termination.js';

/** What there is to see of a call. */
export interface CallView {
  readonly facts: CallFacts;
  readonly phase: CallState['phase'];
  readonly answeredAt: Date | undefined;
  /** Those that began, in their order. */
  readonly recordings: readonly RecordingView[];
}

export interface CallServices {
  readonly trunking: Trunking;
  readonly relays: MediaRelays;
  readonly events: CallEvents;
  readonly clock: MonotonicClock;
  readonly log: Logger;
}

export interface CallPlan {
  readonly facts: CallFacts;
  readonly invite: IncomingInvite;
  readonly nearParty: Party;
  readonly candidates: readonly Candidate[];
  readonly maxForwards: number;
  /** Undefined: the call is not to be recorded. */
  readonly recording: PlannedRecording | undefined;
}

const mediaDeadlineMs = 2_000;
/** How long the far side may ring (RFC 3261 §16.6 Timer C is above three minutes). */
const ringDeadlineMs = 200_000;
const retryAfterSeconds = 5;

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
  readonly #farParty: Party;
  #state: CallState;
  #resolveEnded: () => void = () => {};
  #media: MediaSession | undefined;
  #near: Leg | undefined;
  #far: Leg | undefined;
  #offerAnswer: OfferAnswer | undefined;
  /** The relay hears the far side's descriptions in their order. */
  #mediaOrder: Promise<void> = Promise.resolve();
  /** `nearAnswer` is `toNear` with what the caller is told of recording. */
  #sdp = { toFar: '', fromFar: '', toNear: '', nearAnswer: '' };
  #progress = { status: 180, sdp: '', arrivedAtMs: 0 };
  readonly #nearDescriptions: LegDescriptions;
  readonly #delays: CallDelays;
  #answeredAtMs: number | undefined;
  readonly #recordings: RecordingsOfCall;

  constructor(services: CallServices, plan: CallPlan) {
    this.id = plan.facts.callId;
    this.#services = services;
    this.#plan = plan;
    this.#log = services.log.child({ call: plan.facts.callId });
    this.#farParty = plan.nearParty === 'customer' ? 'seller' : 'customer';
    this.#recordings = new RecordingsOfCall(plan.recording, {
      onRecorded: () => this.#dispatch({ type: 'recorded' }),
      onUnrecorded: (why) => this.close(terminated('recording-required', `the call must be recorded: ${why}`)),
      onChange: () => this.#offerAnswer?.indicate(),
      signal: this.#work.signal,
    });
    this.#state = newCall(plan.candidates.length, this.#recordings.plan);
    this.#delays = new CallDelays(plan.invite.receivedAtMs);
    const aware = isRecordAware(plan.invite.header('supported'));
    this.#nearDescriptions = new LegDescriptions(aware);
    if (aware) this.#recordings.prefer('near', plan.invite.sdp);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get phase(): CallState['phase'] {
    return this.#state.phase;
  }

  get view(): CallView {
    const { facts, invite } = this.#plan;
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
    if (this.phase !== 'talking' || this.#media === undefined) return false;
    this.#recordings.begin(recording, this.#media);
    return true;
  }

  /** Begins; everything else follows from events. */
  start(): void {
    const { invite } = this.#plan;
    this.#services.events.callStarted(this.#plan.facts);
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
        this.#startRecording();
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
        this.#announceEnd(effect.termination);
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
    const { invite, nearParty } = this.#plan;
    const onLost = (reason: string) => this.close(terminated('media-lost', reason));
    const signal = within(this.#work.signal, 2 * mediaDeadlineMs);
    const { media, sdp } = await this.#services.relays.open(this.id, nearParty, invite.sdp, onLost, signal);
    this.#media = media;
    this.#sdp.toFar = sdp;
    this.#dispatch({ type: 'media-opened' });
  }

  async #dial(index: number): Promise<void> {
    const { invite, candidates, maxForwards, facts } = this.#plan;
    const candidate = candidates[index];
    if (candidate === undefined) return;
    const { trunking, clock } = this.#services;
    const uri = requestUriAt(candidate, facts.parties.called.user);
    const ringLimit = AbortSignal.timeout(ringDeadlineMs);
    const invited = trunking.invite(
      {
        uri,
        protocol: candidate.protocol,
        headers: farHeaders(invite, trunking.ownAddress(candidate.protocol), uri.replace(/;.*$/, ''), maxForwards),
        sdp: this.#sdp.toFar,
        onSent: () => {
          this.#delays.inviteLeft(clock());
        },
        onProgress: (status, sdp) => {
          this.#progress = { status, sdp, arrivedAtMs: clock() };
          // Of several descriptions the last one that came holds, however long the relay takes for those before it.
          if (sdp !== '') this.#sdp.fromFar = sdp;
          this.#dispatch({ type: 'progressed', status });
        },
      },
      AbortSignal.any([this.#work.signal, ringLimit]),
    );
    const outcome = await invited.catch((error: unknown): Refusal => {
      if (!ringLimit.aborted || this.#work.signal.aborted) throw error;
      return { kind: 'refused', status: 480, reason: 'no answer' };
    });
    if (outcome.kind === 'refused') {
      const termination = terminationOfRefusal(outcome.status, outcome.reason, this.#state.rang);
      return this.#dispatch({ type: 'far-refused', status: relayedStatus(outcome.status), termination });
    }
    this.#far = outcome.leg;
    this.#listen('far', outcome.leg);
    if (outcome.sdp !== '') this.#sdp.fromFar = outcome.sdp;
    if (outcome.leg.recordAware) this.#recordings.prefer('far', outcome.sdp);
    this.#dispatch({ type: 'far-answered' });
  }

  #relayProgress(): void {
    const { status, sdp, arrivedAtMs } = this.#progress;
    this.#mediaOrder = this.#mediaOrder.then(async () => {
      if (this.#work.signal.aborted) return;
      await this.#plan.invite.ring(status, await this.#earlySdp(sdp));
      this.#delays.ringingPassed(arrivedAtMs, this.#services.clock());
    });
  }

  /** Early media that the relay refuses is left out; ringing without it harms nothing. */
  async #earlySdp(sdp: string): Promise<string | undefined> {
    if (sdp === '' || this.#media === undefined) return undefined;
    try {
      return await this.#relayAnswer(this.#media, sdp);
    } catch (error) {
      this.#log.warn({ err: error }, 'early media could not be relayed');
      return undefined;
    }
  }

  async #answerMedia(): Promise<void> {
    const arrivedAtMs = this.#services.clock();
    await this.#mediaOrder;
    if (this.#media === undefined || this.#work.signal.aborted) return;
    await this.#relayAnswer(this.#media, this.#sdp.fromFar);
    this.#progress = { status: 200, sdp: '', arrivedAtMs };
    this.#dispatch({ type: 'media-answered' });
  }

  /** The relay hears a description of the far side; returns the caller's. */
  async #relayAnswer(media: MediaSession, sdp: string): Promise<string> {
    const signal = within(this.#work.signal, mediaDeadlineMs);
    this.#sdp.toNear = await media.answer(this.#farParty, sdp, signal);
    this.#recordings.refresh();
    this.#sdp.nearAnswer = this.#nearDescriptions.describe(this.#sdp.toNear, this.#recordings.indication);
    return this.#sdp.nearAnswer;
  }

  /** Behind the media of the response that it starts with: ringing must not wait for a recorder. */
  #startRecording(): void {
    this.#mediaOrder = this.#mediaOrder.then(() => {
      if (this.#media !== undefined) this.#recordings.beginPlanned(this.#media);
    });
  }

  async #acceptNear(): Promise<void> {
    const leg = await this.#plan.invite.accept(this.#sdp.nearAnswer);
    this.#near = leg;
    this.#answeredAtMs = this.#services.clock();
    // A far side that answers without ringing has its 200 measured instead.
    this.#delays.ringingPassed(this.#progress.arrivedAtMs, this.#answeredAtMs);
    // The release, if it has begun, finds the leg here and ends it.
    if (this.#state.phase !== 'accepting') return;
    this.#listen('near', leg);
    this.#dispatch({ type: 'near-accepted' });
  }

  #announceAnswer(): void {
    const { media, near, far } = { media: this.#media, near: this.#near, far: this.#far };
    if (media === undefined || near === undefined || far === undefined) return;
    const { facts, invite, nearParty } = this.#plan;
    const legs: Record<Side, AgreedLeg> = {
      near: {
        leg: near,
        party: nearParty,
        remote: invite.sdp,
        local: this.#sdp.toNear,
        descriptions: this.#nearDescriptions,
      },
      far: {
        leg: far,
        party: this.#farParty,
        remote: this.#sdp.fromFar,
        local: this.#sdp.toFar,
        descriptions: new LegDescriptions(far.recordAware, this.#sdp.toFar),
      },
    };
    const [customer, seller] = this.#farParty === 'seller' ? [legs.near, legs.far] : [legs.far, legs.near];
    const flows = () => partyFlows({ customer: customer.remote, seller: seller.remote });
    this.#offerAnswer = new OfferAnswer({
      media,
      legs,
      onChanged: () => this.#recordings.refresh(flows()),
      onDescribed: (side, sdp) => this.#recordings.prefer(side, sdp),
      indication: () => this.#recordings.indication,
      onLegGone: (side, status) =>
        this.#legOver(side, terminated('far-side-failed', `${side} leg answered ${status} to an offer`)),
      signal: this.#work.signal,
      log: this.#log,
    });
    this.#offerAnswer.indicate();
    if (!flowsBothWays(flows())) this.#recordings.refresh(flows());
    this.#services.events.callAnswered(facts, this.#delays.atAnswer(this.#answeredAtMs ?? invite.receivedAtMs));
  }

  #listen(side: Side, leg: Leg): void {
    leg.listen({
      offer: (offer) => {
        if (this.#offerAnswer === undefined || this.#work.signal.aborted) return offer.refuse(491);
        void this.#offerAnswer.handle(side, offer);
      },
      info: (info) => void this.#relayInfo(side, info),
      ended: (cause, detail) => this.#legOver(side, legTermination(cause, `${side} side: ${detail}`)),
    });
  }

  #legOver(side: Side, termination: Termination): void {
    this.#dispatch({ type: side === 'near' ? 'near-over' : 'far-over', termination });
  }

  async #relayInfo(side: Side, info: IncomingInfo): Promise<void> {
    const other = side === 'near' ? this.#far : this.#near;
    if (other === undefined) return info.respond(480);
    try {
      info.respond(await other.info(info.contentType, info.body, within(this.#work.signal, 10_000)));
    } catch (error) {
      info.respond(statusOf(error));
    }
  }

  async #release(release: CallRelease): Promise<void> {
    const { invite } = this.#plan;
    this.#work.abort(new DOMException('the call is over', 'AbortError'));
    await releaseCall(release, {
      invite,
      holdings: () => ({ near: this.#near, far: this.#far, media: this.#media }),
      inFlight: [...this.#inFlight, this.#mediaOrder],
      stopRecordings: (why) => this.#recordings.stop(why, release.recording),
      retryAfterSeconds,
      log: this.#log,
    });
    this.#dispatch({ type: 'released' });
  }

  #announceEnd(termination: Termination): void {
    const answered = this.#near !== undefined ? this.#answeredAtMs : undefined;
    const durationMs = answered === undefined ? 0 : this.#services.clock() - answered;
    this.#services.events.callEnded(this.#plan.facts, termination, durationMs);
    this.#resolveEnded();
  }
}

function legTermination(cause: 'hangup' | 'ack-timeout' | 'session-expired', detail: string): Termination {
  switch (cause) {
    case 'hangup':
      return terminated('hangup', detail);
    case 'ack-timeout':
      return terminated('no-ack', detail);
    case 'session-expired':
      return terminated('session-expired', detail);
    default:
      return unreachable(cause);
  }
}

function unreachable(value: never): never {
  throw new TypeError(`unknown effect or cause ${JSON.stringify(value)}`);
}
