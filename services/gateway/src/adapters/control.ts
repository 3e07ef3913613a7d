// What operators see of the other services and do through them. Who may ask is not its business; a tenant is always given.
import type { Call, CallsServiceClient, Recorder } from '@sidestream/proto/calls/v1';
import type { PolicyServiceClient } from '@sidestream/proto/policy/v1';
import type { RegistrationServiceClient } from '@sidestream/proto/registration/v1';
import { callUnary, SidestreamError } from '@sidestream/service';
import type { KnownCalls } from '../domain/known-calls.js';
import type { Instances } from './instances.js';
import type { LostCall, RollCall } from './roll-call.js';

export const callActions = ['start', 'pause', 'resume', 'stop'] as const;
export type CallAction = (typeof callActions)[number];

/** Ending a call waits for the peers' answers to BYE. */
const deadlineMs = 15_000;
const options = { deadlineMs };
/** An instance that has not answered by then counts as silent. */
const lookUp = { deadlineMs: 3_000 };
/** One that was silent the last time keeps those that are not from being told of no longer than this. */
const lookAgain = { deadlineMs: 500 };

export interface ControlOptions {
  readonly signalling: Instances<CallsServiceClient>;
  readonly policySync: Instances<PolicyServiceClient>;
  readonly registration: Instances<RegistrationServiceClient>;
  readonly known: Pick<KnownCalls, 'of' | 'call'>;
  readonly rollCall: Pick<RollCall, 'gone' | 'lost' | 'heard'>;
}

/** `silent`: it does not answer, and its lease lives, or has ended only just now. `gone`: its calls are lost. */
export interface InstanceState {
  readonly instance: string;
  readonly state: 'live' | 'silent' | 'gone';
  /** Live ones of the tenant, as far as they are known. */
  readonly calls: number;
}

/** What of a call is known; `silent`: from its events alone, since its instance does not answer. */
export interface SeenCall {
  readonly call: Call;
  readonly silent: boolean;
}

export class Control {
  readonly #options: ControlOptions;
  /** Instances that did not answer the last time. */
  #silent: ReadonlySet<string> = new Set();

  constructor(parts: ControlOptions) {
    this.#options = parts;
  }

  /**
   * The live calls of all instances, and those that were lost of late.
   *
   * @param activity with how their voices flow
   * @throws SidestreamError `not-ready` when no instance is known
   */
  async calls(
    tenant: string,
    activity: boolean,
  ): Promise<{ calls: SeenCall[]; instances: InstanceState[]; lost: LostCall[] }> {
    const { signalling, known, rollCall } = this.#options;
    const asked = rollCall.gone.size > 0 ? signalling.known : signalling.all();
    const answers = await Promise.allSettled(
      asked.map(({ id, client }) => {
        const wasSilent = this.#silent.has(id);
        // What measures may take longer than such a one is waited for.
        const request = { tenant, activity: activity && !wasSilent, countOnly: false };
        return callUnary(client.listCalls.bind(client), request, wasSilent ? lookAgain : lookUp);
      }),
    );
    const seen = asked.map(({ id }, index) => {
      const answer = answers[index];
      const silent = answer?.status !== 'fulfilled';
      return { id, silent, calls: silent ? known.of(id).filter((one) => one.tenant === tenant) : answer.value.calls };
    });
    for (const answer of answers)
      if (answer.status === 'fulfilled') rollCall.heard(answer.value.instance, tenant, answer.value.calls);
    this.#silent = new Set(seen.flatMap(({ id, silent }) => (silent ? [id] : [])));
    const calls = seen.flatMap(({ silent, calls }) => calls.map((call) => ({ call, silent })));
    const instances = seen.map(
      ({ id, silent, calls }): InstanceState => ({
        instance: id,
        state: silent ? 'silent' : 'live',
        calls: calls.length,
      }),
    );
    const gone = [...rollCall.gone.keys()].filter((id) => !asked.some((one) => one.id === id));
    // An instance that only seemed to be gone brings its calls back.
    const live = new Set(calls.map(({ call }) => call.callId));
    return {
      calls,
      instances: [...instances, ...gone.map((id): InstanceState => ({ instance: id, state: 'gone', calls: 0 }))],
      lost: rollCall.lost(tenant).filter(({ call }) => !live.has(call.callId)),
    };
  }

  /**
   * @param activity with how its voices flow, which may take half a second
   * @throws SidestreamError `not-found`, also for a call of another tenant
   */
  async call(tenant: string, callId: string, activity: boolean): Promise<SeenCall> {
    try {
      return { call: (await this.#owner(tenant, callId, activity)).call, silent: false };
    } catch (error) {
      const call = this.#options.known.call(callId);
      // The others have said that it is not theirs: it is with the one that does not answer.
      if (SidestreamError.from(error).code === 'not-found' || call?.tenant !== tenant) throw error;
      return { call, silent: true };
    }
  }

  async end(tenant: string, callId: string, reason: string): Promise<void> {
    const { client } = await this.#owner(tenant, callId);
    await callUnary(client.endCall.bind(client), { callId, reason }, options);
  }

  /** @returns the call afterwards */
  async record(tenant: string, callId: string, action: CallAction): Promise<Call> {
    const { client } = await this.#owner(tenant, callId);
    const methods = {
      start: client.startRecording,
      pause: client.pauseRecording,
      resume: client.resumeRecording,
      stop: client.stopRecording,
    };
    const { call } = await callUnary(methods[action].bind(client), { callId }, options);
    if (call === undefined) throw new SidestreamError('internal', 'signalling answered without the call');
    return call;
  }

  /** As each instance finds them that answers. */
  async recorders(tenant: string): Promise<(Recorder & { instance: string })[]> {
    const instances = this.#options.signalling.all();
    const answers = await Promise.allSettled(
      instances.map(({ client }) => callUnary(client.listRecorders.bind(client), { tenant }, lookUp)),
    );
    return answers.flatMap((answer) => {
      if (answer.status === 'rejected') return [];
      const { instance, recorders } = answer.value;
      return recorders.map((recorder) => ({ ...recorder, instance }));
    });
  }

  async policies(tenant: string) {
    const { client } = this.#options.policySync.active();
    const { tenants } = await callUnary(client.getStatus.bind(client), { tenant }, options);
    // JSON has no BigInt.
    return tenants.map(({ bytes, maxAgeMs, ...one }) => {
      return { ...one, bytes: Number(bytes), maxAgeMs: Number(maxAgeMs), source: 'provider' };
    });
  }

  /** Of a tenant whose policy is a file, as it is in use at the first instance of signalling that answers. */
  async filePolicies(tenant: string) {
    const { policies } = await this.#first((client) => callUnary(client.listPolicies.bind(client), { tenant }, lookUp));
    return policies.map(({ tenant, revision, users, since }) => {
      return { tenant, source: 'file', revision, users, fetchedAt: since, stale: false, staleRule: '' };
    });
  }

  /** Policy-sync knows the policies from the provider, signalling alone those from files. */
  async explain(tenant: string, source: 'provider' | 'file', party: string) {
    const question = { tenant, party, other: '' };
    if (source === 'provider') {
      const { client } = this.#options.policySync.active();
      return callUnary(client.explain.bind(client), question, options);
    }
    const { explained } = await this.#first((client) =>
      callUnary(client.explainDecision.bind(client), question, lookUp),
    );
    if (explained === undefined) throw new SidestreamError('internal', 'signalling answered without an explanation');
    return explained;
  }

  async registrations(tenant: string) {
    const { client } = this.#options.registration.active();
    return (await callUnary(client.getStatus.bind(client), { tenant }, options)).tenants;
  }

  /** Every instance of signalling is asked; the first that answers counts, else the error of the first. */
  async #first<R>(ask: (client: CallsServiceClient) => Promise<R>): Promise<R> {
    const asked = this.#options.signalling.all().map(({ client }) => ask(client));
    return Promise.any(asked).catch((error: AggregateError) => Promise.reject(error.errors[0]));
  }

  /** Every instance is asked; the first that has the call counts. */
  async #owner(tenant: string, callId: string, activity = false): Promise<{ call: Call; client: CallsServiceClient }> {
    const asked = this.#options.signalling.all().map(async ({ client }) => {
      const { call } = await callUnary(client.getCall.bind(client), { callId, activity }, lookUp);
      if (call?.tenant !== tenant) throw new SidestreamError('not-found', 'it is not here');
      return { call, client };
    });
    try {
      return await Promise.any(asked);
    } catch (error) {
      const failed = (error as AggregateError).errors.map((one) => SidestreamError.from(one));
      throw (
        failed.find(({ code }) => code !== 'not-found') ??
        new SidestreamError('not-found', 'there is no such live call')
      );
    }
  }
}
