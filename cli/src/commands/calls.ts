// `sidestream calls …`: asks every signalling instance what calls it has, and acts on one of them.
import { setTimeout as delay } from 'node:timers/promises';
import type { Call, CallsServiceClient } from '@sidestream/proto/calls/v1';
import type { Event } from '@sidestream/proto/events/v1';
import { callUnary, SidestreamError } from '@sidestream/service';
import { answered, say } from '../answered.js';
import { callError } from '../control-plane.js';
import { followSignalling, type SignallingInstance, withSignalling } from '../signalling-instances.js';
import { askAll, onInstances, tellSilent } from './ask-all.js';
import { callsTable, describeCall, describeEvent, plainCall } from './calls-text.js';
import { showEnded } from './ended-calls.js';

export interface CallsOptions {
  /** sidestream.yaml. */
  readonly config: string;
  /** `host:port` of one instance; NATS is not needed then. */
  readonly address?: string;
  readonly json: boolean;
}

/** What is done to a call that is named by its id. */
export type CallAction = 'end' | 'start-recording' | 'pause' | 'resume' | 'stop-recording';

/** Ending a call waits for the peers' answers to BYE. */
const deadlineMs = 15_000;
const watchAgainMs = 1_000;

/** Every command returns the process's exit code: 0 done, 1 not, 2 wrong configuration or command line. */
export function callsList(options: CallsOptions, tenant: string): Promise<number> {
  return answered(options.config, (config) => {
    if (tenant !== '' && !Object.hasOwn(config.tenants, tenant)) {
      const known = Object.keys(config.tenants).join(', ');
      throw new SidestreamError('bad-request', `no tenant '${tenant}': one of ${known}`);
    }
    return withSignalling({ config, address: options.address }, (all) => list(all, tenant, options.json));
  });
}

export function callsShow(options: CallsOptions, callId: string): Promise<number> {
  const { config: file, address, json } = options;
  const live = async (instances: readonly SignallingInstance[]) => {
    const call = await ofTheOne(instances, callId, async ({ client }) => {
      return (await callUnary(client.getCall.bind(client), { callId, activity: true }, { deadlineMs })).call;
    });
    tell(options, call);
    return 0;
  };
  return answered(file, async (config) => {
    try {
      return await withSignalling({ config, address }, live);
    } catch (error) {
      // It may be over; whoever asks one instance only asks for live calls.
      const { code } = SidestreamError.from(error);
      if (address !== undefined || (code !== 'not-found' && code !== 'not-ready')) throw error;
      return showEnded(config, callId, json);
    }
  });
}

/** @param reason for `end` alone */
export function callsAct(options: CallsOptions, action: CallAction, callId: string, reason = ''): Promise<number> {
  return onInstances(options, async (instances) => {
    const call = await ofTheOne(instances, callId, ({ client }) => act(client, action, callId, reason));
    if (call !== undefined) tell(options, call);
    else say(options.json ? JSON.stringify({ callId, ended: true }) : `call ${callId} is ended`);
    return 0;
  });
}

/** Prints what happens until SIGINT or SIGTERM. */
export async function callsWatch(options: CallsOptions): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return answered(options.config, async (config) => {
    const target = { config, address: options.address };
    await followSignalling(target, (instance, signal) => watch(instance, options.json, signal), stop.signal);
    return 0;
  });
}

async function list(instances: readonly SignallingInstance[], tenant: string, json: boolean): Promise<number> {
  const { heard, silent } = await askAll(instances, ({ client }) =>
    callUnary(client.listCalls.bind(client), { tenant, activity: false, countOnly: false }, { deadlineMs }),
  );
  const calls = heard.flatMap((answer) => answer.calls);
  if (json) {
    const states = heard.map(({ instance, draining, calls: own }) => ({ instance, draining, calls: own.length }));
    say(JSON.stringify({ instances: states, silent, calls: calls.map(plainCall) }, null, 2));
  } else {
    if (calls.length > 0) say(callsTable(calls));
    const states = heard.map(({ instance, draining }) => `${instance}${draining ? ' (draining)' : ''}`);
    say(`${calls.length} calls${states.length > 0 ? ` at ${states.join(', ')}` : ''}`);
  }
  return tellSilent(silent);
}

async function act(
  client: CallsServiceClient,
  action: CallAction,
  callId: string,
  reason: string,
): Promise<Call | undefined> {
  const options = { deadlineMs };
  switch (action) {
    case 'end':
      await callUnary(client.endCall.bind(client), { callId, reason }, options);
      return undefined;
    case 'start-recording':
      return (await callUnary(client.startRecording.bind(client), { callId }, options)).call;
    case 'pause':
      return (await callUnary(client.pauseRecording.bind(client), { callId }, options)).call;
    case 'resume':
      return (await callUnary(client.resumeRecording.bind(client), { callId }, options)).call;
    case 'stop-recording':
      return (await callUnary(client.stopRecording.bind(client), { callId }, options)).call;
    default:
      return action satisfies never;
  }
}

/** Asks all instances at once; the one that has the call counts. */
async function ofTheOne<R>(
  instances: readonly SignallingInstance[],
  callId: string,
  ask: (instance: SignallingInstance) => Promise<R>,
): Promise<R> {
  const answers = await Promise.allSettled(instances.map(ask));
  const errors: string[] = [];
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') return answer.value;
    const error = callError(instances[index]?.who ?? '', answer.reason);
    // Whose call it is says more than those who do not know it.
    if (error.code === 'wrong-state' || error.code === 'bad-request') throw error;
    if (error.code !== 'not-found') errors.push(`; ${instances[index]?.id}: ${error.message}`);
  }
  const asked = instances.map(({ id }) => id).join(', ');
  throw new SidestreamError('not-found', `no live call ${callId} at ${asked}${errors.join('')}`);
}

/** A stream may end at any time, a connection lives half an hour: it is begun again. */
async function watch({ id, who, client }: SignallingInstance, json: boolean, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const stream = client.watch({});
    const cancel = () => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const why = await new Promise<string>((resolve) => {
      stream.on('metadata', () => process.stderr.write(`watching ${id}\n`));
      stream.on('data', ({ event }: { event?: Event }) => {
        if (event !== undefined) say(json ? JSON.stringify(event) : describeEvent(event));
      });
      stream.on('error', (error) => resolve(callError(who, error).message));
      stream.on('end', () => resolve('it ended'));
    });
    signal.removeEventListener('abort', cancel);
    if (signal.aborted) return;
    process.stderr.write(`sidestream: watch of ${id}: ${why}; again\n`);
    await delay(watchAgainMs, undefined, { signal }).catch(() => {});
  }
}

function tell({ json }: CallsOptions, call: Call | undefined): void {
  if (call !== undefined) say(json ? JSON.stringify(plainCall(call), null, 2) : describeCall(call));
}
