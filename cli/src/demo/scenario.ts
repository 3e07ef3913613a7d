// The demo's three calls, placed one after the other by parties that really speak, and what each of them proves.
import { eventually } from '@sidestream/peers';
import type { Event } from '@sidestream/proto/events/v1';
import {
  comparePackets,
  customerSpeech,
  type PartyCall,
  PartySimulator,
  type RecorderSession,
  sellerSpeech,
} from '@sidestream/simulators';
import { customerHost, Laboratory, sellerHost } from '../laboratory.js';
import { type LaboratoryConfig, listedSeller, unlistedSeller } from '../laboratory-config.js';
import { CallTrace } from './call-trace.js';
import type { LadderMessage } from './ladder.js';

const customerNumber = '+4915112345678';
/** A demo is short; telephones tell how they hear every five seconds. */
const reportEveryMs = 500;
/** Both parties speak for at least so long after the call, or its fork, is up. */
const talkMs = 5_200;
const stepTimeoutMs = 10_000;

export interface ProvenTermination {
  readonly result: string;
  readonly reason: string;
}

/** One recorded voice, compared packet for packet with what its party sent. */
export interface StreamProof {
  readonly label: 'inbound' | 'outbound';
  readonly party: 'customer' | 'seller';
  /** What the party sent from the first packet after the fork was up to the moment when somebody hung up. */
  readonly packetsSent: number;
  /** What the recorder authenticated, each packet once. */
  readonly packetsReceived: number;
  readonly lost: number;
  readonly authFailures: number;
  /** Every packet sent has its equal at the recorder, and the recorder has nothing that this party did not send. */
  readonly identical: boolean;
}

/** One call as the JSON document has it. */
export interface CallProof {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  /** Id of the seller in the policy; empty where the policy does not name the seller. */
  readonly seller: string;
  readonly recorded: boolean;
  readonly reason: string;
  readonly postDialDelayMs: number;
  readonly recorder: {
    readonly host: string;
    readonly tlsVersion: string;
    readonly clientCertificateSubject: string;
    readonly callId: string;
  } | null;
  readonly streams: readonly StreamProof[];
  readonly termination: ProvenTermination;
  readonly recordingTermination: ProvenTermination | null;
}

/** What the provider and the services agreed on before the first call. */
export interface ProviderProof {
  readonly registration: { readonly outcome: string; readonly contentHash: string };
  readonly policy: { readonly revision: string; readonly users: number };
}

export interface DemoCall {
  readonly proof: CallProof;
  readonly ladder: readonly LadderMessage[];
  /** Where the recorder left its files; undefined for a call that was not recorded. */
  readonly recordingDirectory: string | undefined;
  /** What speaks against the call, in words; empty when all is well. */
  readonly faults: readonly string[];
}

interface Plan {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly seller: { readonly id: string; readonly number: string };
  readonly expectRecording: boolean;
}

const plans: readonly Plan[] = [
  { id: 'inbound-listed', direction: 'inbound', seller: listedSeller, expectRecording: true },
  { id: 'outbound-listed', direction: 'outbound', seller: listedSeller, expectRecording: true },
  { id: 'inbound-unlisted', direction: 'inbound', seller: unlistedSeller, expectRecording: false },
];

/** The demo's stage: a laboratory with a customer and a seller who speak. */
export class Scenario {
  readonly laboratory: Laboratory;
  readonly #customer: PartySimulator;
  readonly #seller: PartySimulator;
  readonly #trace: CallTrace;

  private constructor(laboratory: Laboratory, customer: PartySimulator, seller: PartySimulator, trace: CallTrace) {
    this.laboratory = laboratory;
    this.#customer = customer;
    this.#seller = seller;
    this.#trace = trace;
  }

  /** @param directory where the recorder keeps its files while the demo runs. */
  static async start(options: {
    directory: string;
    edge?: string | undefined;
    onLog: (line: string) => void;
    onProgress: (what: string) => void;
    configure?: (config: LaboratoryConfig) => void;
  }): Promise<Scenario> {
    const trace = new CallTrace();
    options.onProgress('customer and seller');
    const customer = await PartySimulator.start({
      name: 'Carla Müller',
      uri: `sip:${customerNumber}@${customerHost}`,
      listen: { protocol: 'udp', host: customerHost },
      wav: customerSpeech,
      reportEveryMs,
      onMessage: trace.listener('customer'),
    });
    const seller = await PartySimulator.start({
      name: listedSeller.name,
      uri: `sip:${listedSeller.number}@${sellerHost}`,
      listen: { protocol: 'udp', host: sellerHost },
      wav: sellerSpeech,
      reportEveryMs,
      onMessage: trace.listener('seller'),
    });
    try {
      const laboratory = await Laboratory.start({
        customerTarget: `${customerHost}:${customer.address.port}`,
        sellerTarget: `${sellerHost}:${seller.address.port}`,
        recorder: { directory: options.directory, onMessage: trace.listener('recorder') },
        provider: {},
        ...(options.edge !== undefined && { edge: options.edge }),
        onLog: options.onLog,
        onProgress: options.onProgress,
        ...(options.configure && { configure: options.configure }),
      });
      return new Scenario(laboratory, customer, seller, trace);
    } catch (error) {
      await Promise.all([customer.close(), seller.close()]);
      throw error;
    }
  }

  /** Waits until the tenant is registered and its policy is there; told by the services, heard at the provider. */
  async provider(): Promise<{ proof: ProviderProof; faults: readonly string[] }> {
    const { laboratory } = this;
    const applied = () => laboratory.bodies('registrationApplied')[0];
    const policy = () => laboratory.bodies('policyApplied').at(-1);
    await eventually(() => applied() !== undefined && policy() !== undefined, 'registration and policy', stepTimeoutMs);
    const { registrations, findings } = laboratory.provider;
    const faults = findings.map(({ text }) => `provider: ${text}`);
    if (registrations.length !== 1) faults.push(`the tenant was registered ${registrations.length} times`);
    return {
      proof: {
        registration: { outcome: applied()?.outcome ?? '', contentHash: applied()?.contentHash ?? '' },
        policy: { revision: policy()?.revision ?? '', users: policy()?.users ?? 0 },
      },
      faults,
    };
  }

  /** Places the calls; one after the other, so that each ladder shows one call. */
  async *calls(onProgress: (what: string) => void): AsyncGenerator<DemoCall> {
    for (const plan of plans) {
      onProgress(`call ${plan.id}`);
      yield await this.#place(plan);
    }
  }

  /** Places one of the calls once more. Nobody else may place one meanwhile. */
  async call(id: string): Promise<DemoCall> {
    const plan = plans.find((each) => each.id === id);
    if (!plan) throw new Error(`there is no call ${id}`);
    return this.#place(plan);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#customer.close(), this.#seller.close()]);
    await this.laboratory.stop();
  }

  async #place(plan: Plan): Promise<DemoCall> {
    const { laboratory } = this;
    const startedAt = Date.now();
    const firstEvent = laboratory.events.length;
    const inbound = plan.direction === 'inbound';
    const [caller, callee] = inbound ? [this.#customer, this.#seller] : [this.#seller, this.#customer];
    const arriving = new Promise<PartyCall>((resolve) => callee.once('call', resolve));
    const number = inbound ? plan.seller.number : customerNumber;
    const placed = await caller.call(`sip:${number}@${laboratory.sipAddress('udp')}`, {
      answerTimeoutMs: stepTimeoutMs,
    });
    await placed.answered;
    const received = await arriving;

    const events = () => laboratory.events.slice(firstEvent);
    const one = (kind: NonNullable<Event['body']>['$case']) => events().find(({ body }) => body?.$case === kind);
    await eventually(() => one('callAnswered') !== undefined, 'call.answered', stepTimeoutMs);
    if (plan.expectRecording) {
      await eventually(() => one('recordingStarted') !== undefined, 'recording.started', stepTimeoutMs);
    }
    const forkUpAt = (one('recordingStarted')?.time ?? new Date()).getTime();
    await eventually(() => Date.now() >= forkUpAt + talkMs, 'the parties talk', talkMs + stepTimeoutMs);

    // The customer hangs up: the calling leg of the inbound calls, the called leg of the outbound one.
    const hungUpAt = Date.now();
    await (inbound ? placed : received).hangUp();
    await Promise.all([placed.ended, received.ended]);
    await eventually(() => one('callEnded') !== undefined, 'call.ended', stepTimeoutMs);
    const session = await this.#recorderSession(one('recordingStarted'), () => one('recordingEnded') !== undefined);

    const [customer, seller] = inbound ? [placed, received] : [received, placed];
    const proof = this.#proof(plan, events(), session, { customer, seller, forkUpAt, hungUpAt });
    return {
      proof,
      ladder: this.#trace.between(startedAt, Date.now()),
      recordingDirectory: session?.directory,
      faults: [...faultsOf(plan, proof, session), ...hearing(placed, 'caller'), ...hearing(received, 'callee')],
    };
  }

  async #recorderSession(started: Event | undefined, isOver: () => boolean): Promise<RecorderSession | undefined> {
    if (started?.body?.$case !== 'recordingStarted') return undefined;
    const { recorderCallId } = started.body.value;
    const session = this.laboratory.recorder.sessions.find(({ callId }) => callId === recorderCallId);
    if (!session) throw new Error(`the recorder has no session ${recorderCallId}`);
    await eventually(isOver, 'recording.ended', stepTimeoutMs);
    await session.ended;
    return session;
  }

  #proof(
    plan: Plan,
    events: readonly Event[],
    session: RecorderSession | undefined,
    media: { customer: PartyCall; seller: PartyCall; forkUpAt: number; hungUpAt: number },
  ): CallProof {
    const bodies = events.flatMap(({ body }) => (body ? [body] : []));
    const answered = bodies.find((body) => body.$case === 'callAnswered')?.value;
    const ended = bodies.find((body) => body.$case === 'callEnded')?.value;
    const recordingStarted = bodies.find((body) => body.$case === 'recordingStarted')?.value;
    const recordingEnded = bodies.find((body) => body.$case === 'recordingEnded')?.value;
    return {
      id: plan.id,
      direction: plan.direction,
      seller: answered?.seller ?? '',
      recorded: session !== undefined,
      reason: answered?.decision?.reason ?? '',
      postDialDelayMs: answered?.postDialDelayMs ?? 0,
      recorder: session
        ? {
            host: recordingStarted?.recorderHost ?? '',
            // As the recorder has seen it in the handshake.
            tlsVersion: session.peer.tls?.version ?? '',
            clientCertificateSubject: session.peer.tls?.peerSubject ?? '',
            callId: session.callId,
          }
        : null,
      streams: (session?.streams ?? []).map((stream) => {
        const label = stream.label === 'inbound' ? 'inbound' : 'outbound';
        const party = label === 'inbound' ? 'customer' : 'seller';
        const { packetsSent, packetsReceived, lost, identical } = comparePackets(media[party].sent, stream.packets, {
          from: media.forkUpAt,
          until: media.hungUpAt,
        });
        const { authFailures } = stream.statistics;
        return { label, party, packetsSent, packetsReceived, lost, authFailures, identical };
      }),
      termination: termination(ended?.termination),
      recordingTermination: session ? termination(recordingEnded?.termination) : null,
    };
  }
}

function termination(told: { result: string; reason: string } | undefined): ProvenTermination {
  return { result: (told?.result ?? '').replace(/^RESULT_/, '').toLowerCase(), reason: told?.reason ?? '' };
}

function faultsOf(plan: Plan, proof: CallProof, session: RecorderSession | undefined): string[] {
  const faults: string[] = [];
  if (proof.recorded !== plan.expectRecording) faults.push(proof.recorded ? 'was recorded' : 'was not recorded');
  if (proof.termination.result !== 'success') faults.push(`ended with ${JSON.stringify(proof.termination)}`);
  if (proof.reason === '') faults.push('has no decision');
  if (!session) return faults;
  if (proof.recordingTermination?.result !== 'success') {
    faults.push(`its recording ended with ${JSON.stringify(proof.recordingTermination)}`);
  }
  if (proof.streams.length !== 2) faults.push(`has ${proof.streams.length} recorded streams`);
  for (const { label, lost, authFailures, identical, packetsSent } of proof.streams) {
    if (lost > 0) faults.push(`${label}: ${lost} of ${packetsSent} packets lost`);
    if (authFailures > 0) faults.push(`${label}: ${authFailures} packets did not authenticate`);
    if (!identical) faults.push(`${label}: what was recorded is not what was said`);
  }
  return [...faults, ...session.findings.map(({ where, text }) => `recorder, ${where}: ${text}`)];
}

/** The call itself must not suffer: each party has heard the other without a gap. */
function hearing(call: PartyCall, who: string): string[] {
  const { received, lost } = call.statistics;
  if (received < 200) return [`the ${who} heard ${received} packets only`];
  return lost > 0 ? [`the ${who} lost ${lost} packets`] : [];
}
