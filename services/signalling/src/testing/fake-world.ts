// Ports of a call that misbehave on command. Every port operation is a step: a test may act when a step begins, and choose how it ends.
import { EventEmitter, once } from 'node:events';
import { type Candidate, type Trunk, TrunkTable } from '@sidestream/routing';
import { createLogger, SidestreamError, trunkSchema } from '@sidestream/service';
import { parseUri } from '@sidestream/sip';
import { newRecordingCallId } from '@sidestream/siprec';
import type { CallServices } from '../domain/call-plan.js';
import type { Referrals } from '../domain/call-referrals.js';
import { CallSession } from '../domain/call-session.js';
import { newCallId } from '../domain/identifiers.js';
import { findLeg, type SearchedCall } from '../domain/leg-search.js';
import { anonymous, callingRole, type Party, readParties, withRoles } from '../domain/parties.js';
import type {
  CallFacts,
  CallWitness,
  ForkStream,
  IncomingInvite,
  MediaRelays,
  MediaSession,
  OfferingLeg,
  OutgoingInvite,
  PartyTerms,
  RecorderClient,
  RecorderDialog,
  RecorderHandlers,
  Trunking,
} from '../domain/ports.js';
import type { RecorderDescription, RecordingScript } from '../domain/recording-script.js';
import { RecordingSession, type RecordingSessionOptions } from '../domain/recording-session.js';
import { type RecordingTerms, usualTerms } from '../domain/recording-terms.js';
import { Recordings } from '../domain/recordings.js';
import type { Termination } from '../domain/termination.js';
import { CallSeats, TrunkLimits } from '../domain/trunk-limits.js';
import { FakeLeg } from './fake-leg.js';

/** ok: at once; fail: rejects; obey: waits for its signal and rejects; late: waits for its signal and succeeds all the same. */
export type Behaviour = 'ok' | 'fail' | 'obey' | 'late';

export const silent = createLogger({ name: 'test', instance: 'test', level: 'silent' });

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function fakeStream(party: Party): ForkStream {
  return { party, address: '', port: 0, rtcpPort: 0, crypto: '', payloadTypes: [] };
}

export class FakeWorld {
  /** Part of the Call-IDs of its call's dialogs, so that those of two worlds differ. */
  readonly name: string;
  /** What the call holds outside itself now. */
  readonly held = new Map<string, number>();
  /** Steps in the order in which they began. */
  readonly steps: string[] = [];
  readonly did: string[] = [];
  readonly told: { kind: string; termination?: Termination }[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  onStep: ((name: string, index: number) => void) | undefined;
  near: FakeLeg | undefined;
  far: FakeLeg | undefined;
  recorderHandlers: RecorderHandlers | undefined;
  loseMedia: ((reason: string) => void) | undefined;
  forkChanged: Parameters<MediaSession['watchFork']>[1] | undefined;
  /** The time; undefined: the real one. */
  nowMs: number | undefined;
  fallSilent: ((seconds: number) => void) | undefined;
  /** Of the recorder's answer to BYE; undefined if it does not answer. */
  recorderByeStatus: number | undefined = 200;
  /** Of the recorder's answer to OPTIONS; undefined if it does not answer. */
  recorderProbeStatus: number | undefined = 200;
  /** Of the recorder's answer to re-INVITE. */
  recorderReinviteStatus = 200;
  /** What the recorder wants in each of its descriptions from now on. */
  recorderWants: 'recvonly' | 'inactive' = 'recvonly';
  readonly gaps: number[] = [];
  /** What of the last gap had not ended with each recording. */
  readonly losses: number[] = [];
  readonly durations: number[] = [];
  /** Directions of what was offered. */
  readonly proposed: string[] = [];
  readonly agreed: string[] = [];
  readonly keptState = new EventEmitter();
  /** SDP of each 183 of the far side, with ` of <branch>` where it is not `a`. */
  earlyAnswers = ['early answer'];
  /** SDP of the 200 of the far side's branch `a`. */
  farAnswer = 'far answer';
  /** What the calls have shown of each target: the last counts. */
  readonly targets = new Map<string, boolean>();
  /** What the configuration says of the contact centre's trunk. */
  contactCentre: object = { targets: ['sip:192.0.2.9'] };
  farRefusal: { status: number; reason: string; contact?: string } | undefined;
  /** Who refuses rings first, until this resolves. */
  ringing: (() => Promise<void>) | undefined;
  /** INVITEs to the far side. */
  readonly dialled: OutgoingInvite[] = [];
  /** What the relay was told of the parties, in its order. */
  readonly terms: PartyTerms[] = [];
  /** Who offered what to the relay first. */
  opened: string | undefined;
  /** Of the near INVITE; empty for a late offer. */
  nearOffer = 'near offer';
  /** What the ACK of a late offer carries. */
  nearAck = 'near answer';
  #resumed: ForkStream[] | undefined;
  readonly #cancel = new AbortController();
  readonly #changed = new EventEmitter();

  constructor(name = 'world') {
    this.name = name;
  }

  hold(what: string): void {
    this.held.set(what, (this.held.get(what) ?? 0) + 1);
  }

  release(what: string): void {
    this.held.delete(what);
  }

  async step(name: string, signal?: AbortSignal): Promise<void> {
    const index = this.steps.push(name) - 1;
    this.onStep?.(name, index);
    this.#changed.emit('changed');
    const behaviour = this.behaviours.get(name) ?? 'ok';
    if (behaviour === 'fail') throw new SidestreamError('deadline-exceeded', `${name} fails`);
    if (signal && (behaviour === 'obey' || behaviour === 'late') && !signal.aborted) await once(signal, 'abort');
    else await new Promise((resolve) => setImmediate(resolve));
    if (behaviour !== 'late' && signal?.aborted) throw new SidestreamError('cancelled', `${name} aborted`);
  }

  /** Resolves when the condition holds; looked at after every step and event. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#changed, 'changed');
  }

  cancel(): void {
    this.release('near INVITE');
    this.#cancel.abort(new SidestreamError('cancelled', 'CANCEL'));
  }

  readonly invite: IncomingInvite = this.#newInvite();

  #newInvite(): IncomingInvite {
    this.hold('near INVITE');
    const final = () => {
      const open = this.held.has('near INVITE');
      this.release('near INVITE');
      return open;
    };
    const accept = async () => {
      // Late: the 200 has left already, so a refusal does nothing any more.
      const left = this.behaviours.get('accept') === 'late' && final();
      await this.step('accept');
      if (!left && !final()) throw new SidestreamError('cancelled', 'CANCEL won');
      this.near = new FakeLeg(this, 'near');
      return this.near;
    };
    const nearOffer = () => this.nearOffer;
    const sipCallId = () => `near-${this.name}`;
    return {
      get sipCallId() {
        return sipCallId();
      },
      source: { address: '127.0.0.1', port: 1 },
      requestUri: 'sip:+15550001@sbc',
      get sdp() {
        return nearOffer();
      },
      receivedAtMs: 0,
      cancelled: this.#cancel.signal,
      header: (name) => (name === 'from' ? '<sip:+15559999@carrier>' : undefined),
      ring: async (status, sdp) => {
        this.did.push(`ring ${status} ${sdp ?? ''}`.trim());
        await this.step('ring');
      },
      accept,
      acceptWithOffer: async (sdp) => {
        this.did.push(`offered near ${sdp}`);
        const leg = await accept();
        return { leg, answer: this.step('near ack').then(() => this.nearAck) };
      },
      refuse: async (status, headers) => {
        if (final()) this.did.push(`refuse ${status} ${headers?.['Warning'] ?? ''}`.trim());
      },
    };
  }

  readonly trunking: Trunking = {
    ownAddress: () => '192.0.2.1',
    invite: async (invite, signal) => {
      invite.onSent();
      this.dialled.push(invite);
      await this.step('invite', signal);
      if (this.farRefusal && this.ringing) {
        invite.onProgress(180, '', 'a');
        await this.ringing();
      }
      if (this.farRefusal) return { kind: 'refused', ...this.farRefusal };
      for (const early of this.earlyAnswers) {
        const [sdp = '', branch = 'a'] = early.split(' of ');
        invite.onProgress(183, sdp, branch);
      }
      await this.step('answer', signal);
      if (invite.sdp === '') return { kind: 'offered', leg: this.#offeringLeg(), sdp: 'far offer' };
      this.far = new FakeLeg(this, 'far');
      return { kind: 'accepted', leg: this.far, sdp: this.farAnswer, branch: 'a' };
    },
    options: async () => 200,
    register: async () => ({ status: 200, reason: 'OK', source: '192.0.2.1', header: () => undefined }),
  };

  #offeringLeg(): OfferingLeg {
    this.hold('leg far');
    return {
      answer: async (sdp) => {
        this.did.push(`answered far ${sdp}`);
        await this.step('far ack');
        this.far = new FakeLeg(this, 'far');
        return this.far;
      },
      bye: async () => {
        this.did.push('bye far');
        this.release('leg far');
      },
    };
  }

  readonly media: Mutable<MediaSession> = {
    relay: 'relay:1',
    update: async (offerer, sdp, signal, terms) => {
      this.did.push(`media update ${offerer} ${sdp}`);
      if (terms) this.terms.push(terms);
      await this.step('media update', signal);
      return `offer relayed of ${sdp}`;
    },
    answer: async (answerer, sdp, signal) => {
      this.did.push(`media answer ${answerer} ${sdp}`);
      await this.step('media answer', signal);
      return `answer relayed of ${sdp}`;
    },
    close: async () => {
      this.release('media');
      for (const what of [...this.held.keys()]) if (what.startsWith('fork ')) this.release(what);
      return { received: new Map(), forks: new Map() };
    },
    startFork: async (fork, parties, signal) => {
      this.hold(`fork ${fork}`);
      await this.step('start fork', signal);
      return parties.map(fakeStream);
    },
    answerFork: (_fork, sdp, signal) => {
      this.did.push(`fork answered ${sdp}`);
      return this.step('answer fork', signal);
    },
    pauseFork: (fork, signal) => {
      this.did.push(`fork ${fork} paused`);
      return this.step('pause fork', signal);
    },
    resumeFork: async (fork, parties, signal) => {
      this.did.push(`fork ${fork} resumed`);
      await this.step('resume fork', signal);
      this.#resumed = parties.map(fakeStream);
      return this.#resumed;
    },
    stopFork: async (fork) => this.release(`fork ${fork}`),
    watchFork: (_fork, onChange) => {
      this.forkChanged = onChange;
    },
  };

  readonly relays: MediaRelays = {
    unavailable: () => undefined,
    open: async (_call, offerer, sdp, watcher, signal, terms) => {
      if (terms) this.terms.push(terms);
      this.opened = `${offerer} ${sdp}`;
      this.loseMedia = (reason) => watcher.onLost(reason);
      this.fallSilent = (seconds) => watcher.onSilent(seconds);
      await this.step('open media', signal);
      this.hold('media');
      return { media: this.media, sdp: `offer relayed of ${sdp}` };
    },
  };

  readonly recorders: RecorderClient = {
    order: (_tenant, recorders) => recorders,
    invite: async (invite, signal) => {
      this.did.push(`recorder ${invite.recorder} ${invite.sipCallId}`);
      await this.step('recorder invite', signal);
      this.hold('recorder dialog');
      return this.recorderDialog;
    },
  };

  readonly recorderDialog: Mutable<RecorderDialog> = {
    host: 'recorder.example',
    tlsVersion: 'TLSv1.3',
    clientCertificateSubject: 'CN=client',
    answer: { contentType: 'application/sdp', body: Buffer.from('recorder answer') },
    listen: (handlers) => {
      this.recorderHandlers = handlers;
    },
    reinvite: async (_request, signal) => {
      await this.step('recorder reinvite', signal);
      const status = this.recorderReinviteStatus;
      return { status, reason: '', contentType: 'application/sdp', body: Buffer.from('recorder answer 2') };
    },
    probe: async (signal) => {
      await this.step('recorder probe', signal).catch(() => undefined);
      return this.recorderProbeStatus;
    },
    unusable: () => {},
    bye: async () => {
      this.release('recorder dialog');
      return this.recorderByeStatus;
    },
    state: () => ({}),
  };

  #tell(kind: string, termination?: Termination): void {
    this.told.push(termination === undefined ? { kind } : { kind, termination });
    setImmediate(() => this.#changed.emit('changed'));
  }

  readonly events: CallWitness = {
    callRefused: ({ reason }) => this.#tell(`callRefused ${reason}`),
    callStarted: () => this.#tell('callStarted'),
    callAnswered: () => this.#tell('callAnswered'),
    callTransferred: (call, party) => this.#tell(`callTransferred ${party} ${call.parties[party].user}`),
    callEnded: (_call, termination) => this.#tell('callEnded', termination),
    recordingStarted: () => this.#tell('recordingStarted'),
    recordingPaused: (_recording, reason) => this.#tell(`recordingPaused ${reason}`),
    recordingResumed: () => this.#tell('recordingResumed'),
    recordingRecovered: (_recording, _dialog, lost, gapMs) => {
      this.gaps.push(gapMs);
      this.#tell('recordingRecovered', lost);
    },
    recordingDelayed: (_recording, _recorder, why) => this.#tell('recordingDelayed', why),
    recordingFailed: (_recording, _recorder, termination) => this.#tell('recordingFailed', termination),
    recordingEnded: (_recording, termination, { durationMs, gapMs, lostMs }) => {
      this.durations.push(durationMs);
      this.gaps.push(gapMs);
      this.losses.push(lostMs);
      this.#tell('recordingEnded', termination);
    },
    callArrived: () => {},
    callReleased: () => {},
    recordingMissing: (_call, { reason }) => this.#tell(`recordingMissing ${reason}`),
    recordingFound: () => this.#tell('recordingFound'),
    callRinging: () => {},
    targetCalled: () => {},
    recordingBegan: () => {},
    recordingUnwanted: () => {},
    recorderAsked: () => {},
    recorderAccepted: () => {},
    recorderGivenUp: () => {},
    recordingMedia: () => {},
    voicesRefused: () => {},
    mediaCounted: () => {},
    recordingState: (_recording, forkId) => {
      this.did.push(`state kept of ${forkId}`);
      this.keptState.emit('kept');
    },
  };

  /** Script of a recording whose answer is usable as long as the test says so. */
  script = {
    inviteHeaders: [],
    byeHeaders: [],
    standing: () => 'standing offer',
    renew: () => {},
    follow: () => false,
    involve: (): boolean => {
      this.did.push('parties told');
      return true;
    },
    // What is subscribed is something new, what is resumed is what it was.
    propose: (streams?: readonly ForkStream[], direction = 'sendonly'): boolean => {
      if (streams !== undefined && streams === this.#resumed) return false;
      this.proposed.push(direction);
      return true;
    },
    withdraw: () => {},
    inviteBody: () => ({ contentType: 'multipart/mixed', body: Buffer.from('offer') }),
    byeBody: () => ({ contentType: 'multipart/mixed', body: Buffer.from('bye') }),
    check: ({ body }: { body: Buffer }) => this.description(body.toString()),
    agree: ({ sdp }: { sdp: string }) => void this.agreed.push(sdp),
    answer: ({ sdp }: { sdp: string }) => `answer to ${sdp}`,
  };

  /** What the recorder wants now, as a checked description. */
  description(sdp: string): RecorderDescription {
    const direction = this.proposed.at(-1) === 'inactive' ? 'inactive' : this.recorderWants;
    const streams = [{ accepted: true, direction }];
    return { sdp, streams } as unknown as RecorderDescription;
  }

  services(): CallServices & { recorders: RecorderClient } {
    const { trunking, relays, events, recorders } = this;
    return { trunking, relays, events, recorders, clock: () => this.nowMs ?? performance.now(), log: silent };
  }

  facts(recorders: string[]): CallFacts {
    return {
      callId: newCallId(),
      tenant: 'contoso',
      direction: 'inbound',
      trunk: 'carrier',
      parties: withRoles(readParties(this.invite), 'called'),
      decision: { record: recorders.length > 0, reason: 'listed', party: 'called', policyRevision: '1', recorders },
      recordingCallId: newRecordingCallId(),
      startedAt: new Date(),
    };
  }

  recording(facts: CallFacts, options: RecordingSessionOptions = {}): RecordingSession {
    const script = this.script as unknown as RecordingScript;
    return new RecordingSession(this.services(), { recordingId: 'r', call: facts }, () => script, options);
  }

  /** Places of the contact centre, in order. */
  candidates(): readonly Candidate[] {
    const pbx = trunkSchema.parse({
      tenant: 'contoso',
      side: 'seller',
      routes: [{ to: 'pbx' }],
      ...this.contactCentre,
    });
    const table = new TrunkTable({ pbx });
    const trunk = table.ofSource('192.0.2.9', 5060);
    if (trunk === undefined) throw new Error('no trunk');
    const query = { trunk, requestUri: 'sip:+15550001@sbc', called: '+15550001', calling: '', header: () => undefined };
    return table.candidates(table.route(query));
  }

  /** Whether the seller who comes by a transfer is to be recorded. */
  newSellerListed = true;
  /** How such a call is recorded. */
  newTerms: Partial<RecordingTerms> = {};

  /** Those that a Replaces may name a leg of. */
  calls: readonly SearchedCall[] = [];

  readonly referrals: Mutable<Referrals> = {
    legNamed: (replaces, from) => findLeg(this.calls, replaces, from),
    route: (_from, _call, { uri }) => (uri.user === 'nowhere' ? [] : this.candidates()),
    identify: ({ header }, by) => {
      const claim = header('p-asserted-identity');
      return claim === undefined ? undefined : { uri: parseUri(claim), name: '', by };
    },
    numberFor: (_from, _to, { user = '' }) => user,
    redirect: (from, _by, call, uri) => this.referrals.route(from, call, { uri }),
    callerFor: () => ({ believed: true, trusted: true, passHeaders: [], number: (user) => user }),
    regard: (call, party, { uri, name = '' }) => {
      const hidden = uri.host === 'anonymous.invalid';
      const now = hidden ? anonymous : { uri: `sip:${uri.user}@sbc`, name, user: uri.user ?? '', anonymous: false };
      const recorders = this.newSellerListed ? ['sip:r1'] : [];
      const decision = { ...call.decision, record: this.newSellerListed, recorders };
      const role = callingRole(call.direction) === party ? 'calling' : 'called';
      const parties = withRoles({ ...call.parties, [role]: now }, call.decision.party);
      return { ...call, decision, parties };
    },
    record: (facts) => ({
      ...usualTerms,
      ...this.newTerms,
      of: new Recordings([this.recording(facts)], 'all'),
      again: () => this.referrals.record(facts).of,
    }),
  };

  call(recorders: string[] = ['sip:r1'], terms: Partial<RecordingTerms> = {}): CallSession {
    const facts = this.facts(recorders);
    return new CallSession(this.services(), {
      facts,
      invite: this.invite,
      nearParty: 'customer',
      nearTerms: { codecs: [], srtp: 'off' },
      nearTrunk: this.candidates()[0]?.trunk as Trunk,
      referrals: this.referrals,
      candidates: this.candidates(),
      seats: new CallSeats(new TrunkLimits({}, () => 0), 'carrier', false),
      maxForwards: 69,
      onTarget: ({ hostPort }, answered) => this.targets.set(hostPort, answered),
      callerFor: () => ({ believed: true, trusted: true, passHeaders: [], number: (user) => user }),
      recording:
        recorders.length > 0
          ? {
              ...usualTerms,
              ...terms,
              of: new Recordings([this.recording(facts)], 'all'),
              again: () => new Recordings([this.recording(facts)], 'all'),
            }
          : undefined,
    });
  }

  /** Whether a recorder has taken the recording, or none has, all having been asked. */
  get asked(): boolean {
    return this.told.some(({ kind }) => /^recording(Started|Delayed|Failed)$/.test(kind));
  }

  count(kind: string): number {
    return this.told.filter((event) => event.kind === kind).length;
  }

  terminationOf(kind: string): Termination | undefined {
    return this.told.find((event) => event.kind === kind)?.termination;
  }
}
