// What operators see of the other services and do through them. Who may ask is not its business; a tenant is always given.
import type { Call, CallsServiceClient, Recorder } from '@sidestream/proto/calls/v1';
import type { PolicyServiceClient } from '@sidestream/proto/policy/v1';
import type { RegistrationServiceClient } from '@sidestream/proto/registration/v1';
import { callUnary, SidestreamError } from '@sidestream/service';
import type { Instances } from './instances.js';

export const callActions = ['start', 'pause', 'resume', 'stop'] as const;
export type CallAction = (typeof callActions)[number];

/** Ending a call waits for the peers' answers to BYE. */
const deadlineMs = 15_000;
const options = { deadlineMs };
/** An instance that has not answered by then counts as silent. */
const lookUp = { deadlineMs: 3_000 };

export interface ControlOptions {
  readonly signalling: Instances<CallsServiceClient>;
  readonly policySync: Instances<PolicyServiceClient>;
  readonly registration: Instances<RegistrationServiceClient>;
}

export class Control {
  readonly #options: ControlOptions;

  constructor(parts: ControlOptions) {
    this.#options = parts;
  }

  /**
   * The live calls of all instances that answer, and the ids of those that do not.
   * @param activity with how their voices flow
   */
  async calls(tenant: string, activity: boolean): Promise<{ calls: Call[]; silent: string[] }> {
    const instances = this.#options.signalling.all();
    const answers = await Promise.allSettled(
      instances.map(({ client }) => callUnary(client.listCalls.bind(client), { tenant, activity }, lookUp)),
    );
    const calls = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.calls : []));
    const silent = instances.filter((_, index) => answers[index]?.status === 'rejected').map(({ id }) => id);
    return { calls, silent };
  }

  /**
   * @param activity with how its voices flow, which may take half a second
   * @throws SidestreamError `not-found`, also for a call of another tenant
   */
  async call(tenant: string, callId: string, activity: boolean): Promise<Call> {
    return (await this.#owner(tenant, callId, activity)).call;
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
    return (await callUnary(client.getStatus.bind(client), { tenant }, options)).tenants;
  }

  /** @throws SidestreamError `not-found` for another tenant than one's own */
  async explain(own: string, tenant: string, party: string) {
    if (tenant !== own) throw new SidestreamError('not-found', 'there is no such tenant');
    const { client } = this.#options.policySync.active();
    return callUnary(client.explain.bind(client), { tenant, party, other: '' }, options);
  }

  async registrations(tenant: string) {
    const { client } = this.#options.registration.active();
    return (await callUnary(client.getStatus.bind(client), { tenant }, options)).tenants;
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
