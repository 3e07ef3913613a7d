// What operators do with the live calls of this instance: look, end, record, drain. It knows no gRPC; who may ask is not its business.
import { SidestreamError } from '@sidestream/service';
import { newRecordingCallId } from '@sidestream/siprec';
import type { CallAdmission } from './admission.js';
import type { CallView } from './call-plan.js';
import { type CallRecording, isLive } from './call-recording.js';
import type { CallRegistry } from './call-registry.js';
import type { CallSession } from './call-session.js';
import { raced } from './deadline.js';
import type { CallId } from './identifiers.js';
import type { CallFacts } from './ports.js';
import { terminated } from './termination.js';

export interface CallDeskOptions {
  readonly registry: CallRegistry<CallSession>;
  readonly admission: CallAdmission;
  /** Makes the recording of a call; it begins later. */
  readonly newRecording: (call: CallFacts) => CallRecording;
  /** The tenant's recorders in order; empty while its recording is switched off. */
  readonly recordersOf: (tenant: string) => readonly string[];
  /** The instance drains, or does so no more. */
  readonly onDrain: () => void;
}

/** Each recording takes forks of the relay, which gives a call sixteen in its life. */
const maxRecordings = 4;
const maxReasonLength = 100;

export class CallDesk {
  readonly #options: CallDeskOptions;

  constructor(options: CallDeskOptions) {
    this.#options = options;
  }

  /** @param tenant empty: all */
  list(tenant: string): CallView[] {
    const views = this.#options.registry.all().map(({ view }) => view);
    return tenant === '' ? views : views.filter(({ facts }) => facts.tenant === tenant);
  }

  /** @throws SidestreamError `not-found`, as everything here that is given a call's id. */
  get(callId: string): CallView {
    return this.#call(callId).view;
  }

  /**
   * Ends the call on both sides; resolves when it is over.
   *
   * @param reason for both sides and the record
   * @throws SidestreamError `bad-request` for a reason that can not go into a header
   */
  async end(callId: string, reason: string, signal: AbortSignal): Promise<void> {
    if (reason.length > maxReasonLength || /[^\x20-\x7e]/.test(reason))
      throw new SidestreamError('bad-request', `reason: at most ${maxReasonLength} printable ASCII characters`);
    const call = this.#call(callId);
    call.close(terminated('ended-by-operator', reason === '' ? 'ended by the operator' : reason), 480);
    await raced(call.ended, signal);
  }

  /** Records the call from now on. @throws SidestreamError `wrong-state` */
  startRecording(callId: string): CallView {
    const { newRecording, recordersOf } = this.#options;
    const call = this.#call(callId);
    const { facts, phase } = call.view;
    if (phase !== 'talking') throw wrongState(callId, `it is ${phase}, not answered`);
    const live = liveRecordings(call)[0];
    if (live !== undefined) throw wrongState(callId, `its recording is ${phaseOf(live)} already`);
    if (call.recordings.length >= maxRecordings)
      throw wrongState(callId, `it has had ${maxRecordings} recordings already`);
    const recorders = recordersOf(facts.tenant);
    if (recorders.length === 0)
      throw wrongState(callId, `tenant ${facts.tenant} has no recorder, or its recording is switched off`);
    const decision = { ...facts.decision, record: true, recorders };
    call.record(newRecording({ ...facts, decision, recordingCallId: newRecordingCallId() }));
    return call.view;
  }

  /** Resolves when no packet goes to a recorder any more. @throws SidestreamError `wrong-state` */
  async pauseRecording(callId: string, signal: AbortSignal): Promise<CallView> {
    const call = this.#call(callId);
    await raced(Promise.all(this.#recorded(call).map((one) => one.pause('operator'))), signal);
    return call.view;
  }

  /**
   * Takes the operators' pause back. Resolves when the recorders get packets again, at once where a party wants the pause, too.
   * @throws SidestreamError `wrong-state`, `recorder-refused`
   */
  async resumeRecording(callId: string, signal: AbortSignal): Promise<CallView> {
    const call = this.#call(callId);
    await raced(Promise.all(this.#recorded(call).map((one) => one.resume('operator'))), signal);
    return call.view;
  }

  /** Ends the call's recordings; resolves when fork and dialog are given back. @throws SidestreamError `wrong-state` */
  async stopRecording(callId: string, signal: AbortSignal): Promise<CallView> {
    const call = this.#call(callId);
    const ends = this.#recorded(call).map((one) => one.end(terminated('ended-by-operator', 'stopped by the operator')));
    await raced(Promise.all(ends), signal);
    return call.view;
  }

  /** Keeps new calls out, or takes them again. @throws SidestreamError `wrong-state` to undo the drain of a stop */
  drain(undo: boolean): void {
    if (undo) this.#options.admission.undoDrain();
    else this.#options.admission.drain();
    this.#options.onDrain();
  }

  get draining(): boolean {
    return this.#options.admission.draining;
  }

  get calls(): number {
    return this.#options.registry.size;
  }

  #call(callId: string): CallSession {
    const call = this.#options.registry.get(callId as CallId);
    if (call === undefined) throw new SidestreamError('not-found', `no call '${callId.slice(0, 64)}' here`);
    return call;
  }

  /** The recordings that go on. */
  #recorded(call: CallSession): CallRecording[] {
    const live = liveRecordings(call);
    if (live.length > 0) return live;
    const last = call.recordings.at(-1);
    throw wrongState(call.id, last === undefined ? 'it is not recorded' : `its recording is ${phaseOf(last)}`);
  }
}

function liveRecordings(call: CallSession): CallRecording[] {
  return call.recordings.filter(isLive);
}

function phaseOf({ views }: CallRecording): string {
  return views.find(({ phase }) => phase !== 'ended')?.phase ?? 'ended';
}

function wrongState(callId: string, what: string): SidestreamError {
  return new SidestreamError('wrong-state', `call ${callId}: ${what}`);
}
