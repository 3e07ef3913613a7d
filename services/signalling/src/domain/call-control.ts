// The door for new calls: whose INVITE it is, whether it may come in, where it goes, whether it is recorded. What passes becomes a
// CallSession; what does not gets one response that says why.
import { randomUUID } from 'node:crypto';
import type { Decision } from '@sidestream/policy';
import type { Candidate, Routing, Trunk, TrunkTable } from '@sidestream/routing';
import { errorTable, type Logger } from '@sidestream/service';
import { formatUri, parseReplaces, parseUri, type ReferTarget, type Replaces, type SipUri } from '@sidestream/sip';
import { newRecordingCallId, newUuid, type RecorderProfile, type Uuid } from '@sidestream/siprec';
import { type Admission, explained, unavailableHeaders } from './admission.js';
import type { CallGuard, GuardedPass } from './call-guard.js';
import type { CallSide } from './call-join.js';
import { mediaTerms } from './call-media.js';
import type { CallServices } from './call-plan.js';
import type { CallRecording, PlannedRecording } from './call-recording.js';
import type { NamedTarget } from './call-redirections.js';
import type { Referrals } from './call-referrals.js';
import type { CallRegistry } from './call-registry.js';
import { replaceLeg } from './call-replacement.js';
import { CallSession } from './call-session.js';
import { type CallerProof, type Claim, notYetLoggedIn, type RefusedCaller } from './caller-proof.js';
import { allowedMethods, remainingHops } from './far-headers.js';
import { newCallId } from './identifiers.js';
import { findLeg } from './leg-search.js';
import {
  type CallParties,
  callingRole,
  directionOf,
  type InviteParties,
  type Party,
  readParties,
  withNumber,
  withRoles,
} from './parties.js';
import type { CallFacts, CallRefusal, IdentityClaim, IncomingInvite, Policies, RecorderClient } from './ports.js';
import type { RecordingGroup } from './recording-groups.js';
import { RecordingScript } from './recording-script.js';
import { RecordingSession, type RecordingSessionOptions } from './recording-session.js';
import type { RecordingTerms } from './recording-terms.js';
import { Recordings } from './recordings.js';
import type { RefusalReason } from './refusal-reasons.js';
import type { TargetStates } from './target-states.js';
import { type Termination, terminated } from './termination.js';

export interface CallControlOptions extends CallServices {
  readonly trunks: TrunkTable;
  readonly targets: TargetStates;
  readonly callers: Pick<CallerProof, 'identify' | 'peer'>;
  readonly policies: Policies;
  readonly recorders: RecorderClient;
  readonly admission: Admission;
  readonly guard: CallGuard;
  readonly registry: CallRegistry<CallSession>;
  /** What a tenant's recorder wants to be told. */
  readonly recorderOf: (tenant: string) => RecordingSessionOptions & {
    readonly profile: RecorderProfile;
    readonly accountId: string;
  };
  readonly termsOf: (tenant: string) => RecordingTerms;
  readonly log: Logger;
}

/** What a new call is found to be. */
interface Passed extends GuardedPass {
  readonly trunk: Trunk;
  readonly parties: InviteParties;
  readonly routing: Routing;
  readonly maxForwards: number;
}

/** Who takes the place of a party of a call that is up. */
interface Replacing {
  readonly place: CallSide;
  readonly newcomer: NamedTarget;
}

type Refused = Omit<CallRefusal, 'source'> & Pick<RefusedCaller, 'headers'>;

export class CallControl implements Referrals {
  readonly #options: CallControlOptions;

  constructor(options: CallControlOptions) {
    this.#options = options;
  }

  /** Takes a new INVITE: it becomes a call or is refused. Never throws. */
  take(invite: IncomingInvite): void {
    const screened = this.#screen(invite);
    if ('place' in screened) {
      void replaceLeg(screened.place, invite, screened.newcomer, this.#options.log);
      return;
    }
    if (!('reason' in screened)) {
      this.#begin(invite, screened);
      return;
    }
    const { status, text } = screened;
    // To be asked is how every call of a trunk with digest begins.
    if (text !== notYetLoggedIn) this.#options.events.callRefused({ ...screened, source: invite.source.address });
    const why = status === 503 ? unavailableHeaders(text) : explained(status, text);
    void invite.refuse(status, { ...why, ...screened.headers });
  }

  /** In the order of what it costs: whoever is turned away under load is turned away at once. */
  #screen(invite: IncomingInvite): Passed | Replacing | Refused {
    const { trunks, targets, callers, admission, guard } = this.#options;
    const caller = callers.identify(invite);
    if ('refuse' in caller) return { ...caller.refuse, trunk: undefined };
    const { trunk } = caller;
    const refuse = (status: number, reason: RefusalReason, text: string): Refused => ({
      status,
      reason,
      text,
      trunk: trunk.name,
    });
    const { requestUri } = invite;
    const parties = readParties(invite, trunk.config.trusted);
    const { user: called } = parties.called;
    const replaces = invite.header('replaces');
    if (replaces !== undefined) {
      const found = this.#placeOf(replaces, trunk);
      if ('call' in found) {
        const { call, side } = found;
        const full = call.members.trunkOf(side).name === trunk.name ? undefined : guard.full(trunk.name);
        if (full !== undefined) return refuse(503, full.reason, full.text);
        return { place: found, newcomer: this.#newcomer(parties, trunk, requestUri) };
      }
      return refuse(found.refused, 'replaces', 'Replaces names no dialog that this trunk may have replaced now');
    }
    const urgent = trunks.isEmergency(called, requestUri);
    const problem = admission.problem(trunk.tenant, urgent);
    if (problem !== undefined) return refuse(errorTable[problem.reason].sip, problem.reason, problem.text);
    const maxForwards = remainingHops(invite);
    if (maxForwards === undefined) return refuse(483, 'max-forwards', 'Max-Forwards is 0');
    const header = (name: string) => invite.header(name);
    const routing = trunks.route({ trunk, requestUri, called, calling: parties.callingUser, header });
    if (routing.trunks.length === 0) return refuse(404, 'no-route', `no route of trunk ${trunk.name} takes this call`);
    const candidates = targets.order(trunks.candidates(routing));
    // Last, because it takes the call's place on the trunk.
    const number = routing.called.international ?? routing.called.dialled;
    const passed = guard.admit({ from: trunk, candidates, called: number, urgent });
    if (!('seats' in passed)) return refuse(passed.reason === 'destination' ? 403 : 503, passed.reason, passed.text);
    return { ...passed, trunk, parties, routing, maxForwards };
  }

  #begin(invite: IncomingInvite, passed: Passed): void {
    const { registry, targets } = this.#options;
    const { trunk, routing, candidates, seats, maxForwards } = passed;
    const facts = this.#decide(passed);
    const session = new CallSession(this.#options, {
      facts,
      invite,
      nearParty: callingRole(facts.direction),
      nearTerms: mediaTerms(trunk),
      nearTrunk: trunk,
      candidates,
      seats,
      onTarget: (target, answered) => targets.called(target, answered),
      maxForwards,
      callerFor: (to) => this.callerFor(trunk, to),
      referrals: this,
      recording: facts.decision.record ? this.#newRecording(facts, this.#terms(facts, routing)) : undefined,
    });
    registry.add(session);
    void session.ended.then(() => {
      registry.remove(session.id);
      seats.release();
    });
    session.start();
  }

  #placeOf(replaces: string, trunk: Trunk): CallSide | { readonly refused: number } {
    let named: Replaces;
    try {
      named = parseReplaces(replaces);
    } catch {
      return { refused: 400 };
    }
    const found = this.legNamed(named, trunk) ?? { refused: 481 };
    return 'call' in found && found.call.succession.pending ? { refused: 491 } : found;
  }

  #newcomer({ calling, callingUser }: InviteParties, trunk: Trunk, requestUri: string): NamedTarget {
    const query = { trunk, requestUri, called: '', calling: callingUser, header: () => undefined };
    const number = this.#options.trunks.route(query).calling.international;
    return { uri: parseUri(withNumber(calling, number).uri), name: calling.name, by: trunk };
  }

  /** What an OPTIONS hears: 200 when calls of this peer can come in, 503 when not, 403 for a stranger. */
  options(request: Claim): { status: number; headers: Record<string, string> } {
    const { callers, admission } = this.#options;
    const trunk = callers.peer(request);
    if (trunk === undefined) return { status: 403, headers: {} };
    const problem = admission.problem(trunk.tenant);
    return problem === undefined
      ? {
          status: 200,
          headers: {
            Allow: allowedMethods,
            Accept: 'application/sdp',
          },
        }
      : { status: 503, headers: unavailableHeaders(problem.text) };
  }

  /** Ends every call, each with the same termination; resolves when all are gone or the signal aborts. */
  async endAll(termination: Termination, signal: AbortSignal): Promise<void> {
    for (const call of this.#options.registry.all()) call.close(termination);
    await this.#options.registry.whenIdle(signal);
  }

  callerFor(from: Trunk, to: Trunk): ReturnType<Referrals['callerFor']> {
    return {
      believed: from.config.trusted,
      trusted: to.config.trusted,
      passHeaders: to.config.passHeaders,
      number: (user) => this.#options.trunks.callerNumber(from, to, user),
    };
  }

  route(from: Trunk, call: CallFacts, { uri }: Pick<ReferTarget, 'uri'>): readonly Candidate[] {
    return this.#onward(from, call, uri, from.name);
  }

  /** @param held the trunk whose place in the call is given up */
  #onward(from: Trunk, { parties }: CallFacts, uri: SipUri, held: string): readonly Candidate[] {
    const { trunks, targets, guard } = this.#options;
    const called = uri.user?.split(';')[0] ?? '';
    if (called === '') return [];
    const requestUri = formatUri(uri);
    const calling = parties.calling.user;
    const routing = trunks.route({ trunk: from, requestUri, called, calling, header: () => undefined });
    const candidates = targets.order(trunks.candidates(routing));
    if (candidates.length === 0) return [];
    const number = routing.called.international ?? routing.called.dialled;
    const urgent = trunks.isEmergency(called, requestUri);
    return guard.onward({ from, candidates, called: number, urgent }, held);
  }

  redirect(from: Trunk, by: Trunk, call: CallFacts, uri: SipUri): readonly Candidate[] {
    const meant = this.#international(by, uri);
    return this.#onward(from, call, meant === undefined ? uri : { ...uri, user: meant }, by.name);
  }

  identify({ header }: IdentityClaim, trunk: Trunk): NamedTarget | undefined {
    if (!trunk.config.trusted) return undefined;
    return this.#newcomer(readParties({ requestUri: '', header }), trunk, '');
  }

  numberFor(from: Trunk, to: Trunk, uri: SipUri): string {
    const meant = this.#international(from, uri);
    return meant === undefined ? (uri.user?.split(';')[0] ?? '') : this.#options.trunks.callerNumber(to, to, meant);
  }

  /** What this trunk's number plan makes of the number. */
  #international(trunk: Trunk, uri: SipUri): string | undefined {
    const query = { trunk, requestUri: formatUri(uri), called: uri.user ?? '', calling: '', header: () => undefined };
    return this.#options.trunks.route(query).called.international;
  }

  legNamed(replaces: Replaces, from: Trunk): ReturnType<Referrals['legNamed']> {
    return findLeg(this.#options.registry.all(), replaces, from);
  }

  regard(call: CallFacts, party: Party, { uri, name = '' }: Pick<NamedTarget, 'uri' | 'name'>, from: Trunk): CallFacts {
    const role = callingRole(call.direction) === party ? 'calling' : 'called';
    const requestUri = formatUri({ ...uri, parameters: new Map() });
    const read = readParties({ requestUri, header: () => undefined }, false);
    const { trunks } = this.#options;
    const query = { trunk: from, requestUri, called: read.called.user, calling: '', header: () => undefined };
    const number = trunks.route(query).called.international;
    const newcomer = read.called.anonymous ? read.called : { ...withNumber(read.called, number), name };
    const parties = withRoles({ ...call.parties, [role]: newcomer }, call.decision.party);
    if (party === 'customer') return { ...call, parties };
    // Only the newcomer is asked for: who else is in the call was no seller before.
    const nobody = {
      calling: parties.calling,
      called: parties.called,
      callingUris: [],
      calledUris: [],
      callingUser: '',
    };
    const asked = { ...nobody, [role === 'calling' ? 'callingUris' : 'calledUris']: read.calledUris };
    const numbers = { calling: undefined, called: undefined, [role]: number };
    const side = role === 'calling' ? 'seller' : 'customer';
    const decision = this.#options.policies.decide(call.tenant, { side, parties: asked, numbers, at: new Date() });
    const recordingCallId =
      decision.record && call.recordingCallId === '' ? newRecordingCallId() : call.recordingCallId;
    return { ...call, decision, parties: named({ ...asked, ...parties }, decision), recordingCallId };
  }

  record(call: CallFacts): PlannedRecording {
    return this.#newRecording(call, this.#options.termsOf(call.tenant));
  }

  /** Makes what records a call, as its facts decide and its tenant has it; it begins later. */
  newRecording(call: CallFacts): CallRecording {
    return this.#newRecording(call, this.#options.termsOf(call.tenant)).of;
  }

  #decide({ trunk, parties, routing: { calling, called } }: Passed): CallFacts {
    const startedAt = new Date();
    const numbers = { calling: calling.international, called: called.international };
    const known = { side: trunk.side, parties, numbers, at: startedAt };
    const decision = this.#options.policies.decide(trunk.tenant, known);
    return {
      callId: newCallId(),
      tenant: trunk.tenant,
      direction: directionOf(decision.party),
      trunk: trunk.name,
      parties: named(
        {
          ...parties,
          calling: withNumber(parties.calling, numbers.calling),
          called: withNumber(parties.called, numbers.called),
        },
        decision,
      ),
      decision,
      recordingCallId: decision.record ? newRecordingCallId() : '',
      startedAt,
    };
  }

  #terms({ tenant }: CallFacts, { called }: Routing): RecordingTerms {
    const terms = this.#options.termsOf(tenant);
    // Whoever calls for help is put through, recorded or not.
    return called.emergency ? { ...terms, required: false } : terms;
  }

  #newRecording(call: CallFacts, terms: RecordingTerms): PlannedRecording {
    const { recorders } = call.decision;
    const again = () => this.#newRecording({ ...call, recordingCallId: newRecordingCallId() }, terms).of;
    const { parallel: needs } = terms;
    if (needs === 'off' || recorders.length < 2)
      return { ...terms, again, of: new Recordings([this.#newSession(call)], 'all') };
    const group = { groupId: newUuid(), needs };
    const each = recorders.map((recorder, index) => {
      // What the dialer is told is the first one's Call-ID; each dialog has its own.
      const recordingCallId = index === 0 ? call.recordingCallId : newRecordingCallId();
      const decision = { ...call.decision, recorders: [recorder] };
      return this.#newSession({ ...call, decision, recordingCallId }, group);
    });
    return { ...terms, again, of: new Recordings(each, needs) };
  }

  #newSession(call: CallFacts, group?: RecordingGroup & { readonly groupId: Uuid }): RecordingSession {
    const recorder = this.#options.recorderOf(call.tenant);
    const newScript = () => {
      const { direction, parties, startedAt } = call;
      return new RecordingScript({
        ...recorder,
        direction,
        parties,
        callStart: startedAt,
        recordedSince: new Date(),
        groupId: group?.groupId,
      });
    };
    return new RecordingSession(this.#options, { recordingId: randomUUID(), call, group }, newScript, recorder);
  }
}

/** The parties in the roles that were decided. The policy's name for the seller counts before the INVITE's, for whom it names. */
function named(read: InviteParties, { party, seller: listed, matched }: Decision): CallParties {
  const [seller, strongest] =
    party === 'calling' ? [read.calling, read.callingUris[0]] : [read.called, read.calledUris[0]];
  const name = listed?.name;
  if (name === undefined || seller.anonymous || matched !== strongest) return withRoles(read, party);
  return withRoles({ ...read, [party]: { ...seller, name } }, party);
}

/** The termination of a call that the operator's stop ends. */
export function drained(): Termination {
  return terminated('drained', 'this instance stops');
}
