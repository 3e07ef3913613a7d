// What a call's seller is to be told, as a pure fold over what happened to the call: (story, happening) → (story, told). STARTED comes on the
// later of the answer and the recording's start; a recording that fails, or is too long in coming, makes CALL_NOT_RECORDED of it.
// Nothing here looks at a clock: the same stream gives the same ids and the same events, whoever reads it and when.
import { Direction, type Event, Result } from '@sidestream/proto/events/v1';
import type { DialerEvent, Told } from './dialer-event.js';

type Body = NonNullable<Event['body']>;
type Of<K extends Body['$case']> = Extract<Body, { $case: K }>['value'];

/** An event with its place in the stream. */
export interface Happening {
  readonly sequence: number;
  /** When it was stored. */
  readonly storedAtMs: number;
  /** When it happened, by who said it. */
  readonly time: Date;
  readonly body: Body;
}

interface Contact {
  readonly isIncoming: boolean;
  readonly number: string;
  readonly name: string;
}

/** Since when the seller is in the call: its answer, or a transfer. */
interface Arrival {
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly time: Date;
}

export interface CallStory {
  readonly tenant: string;
  /** Id in the policy; empty: nobody is told anything. */
  readonly seller: string;
  readonly contact: Contact;
  readonly beganAtMs: number;
  /** Place of the event that began it, which tells nothing itself. */
  readonly beganAt: number;
  readonly arrival: Arrival | undefined;
  /** It was decided to record the call: the seller waits to hear of it. */
  readonly awaited: boolean;
  /** Call-ID under which the recording is awaited, or known. */
  readonly callId: string;
  /** Call-IDs of the recordings that go on. */
  readonly live: readonly string[];
  /** Why the awaited one failed before the answer. */
  readonly failure: string | undefined;
  /** Why no recorder has taken it yet; they are asked again. */
  readonly delay: string | undefined;
  readonly told: 'nothing' | 'started' | 'not-recorded';
}

export interface Step {
  /** Undefined: the call is over. */
  readonly story: CallStory | undefined;
  readonly told: readonly Told[];
}

/** Recordings at once that are looked at; signalling has no more. */
const maxLive = 8;

/** The id of the call that the event is about, where it matters to a seller. */
export function callOf(body: Body): string | undefined {
  switch (body.$case) {
    case 'callStarted':
    case 'callAnswered':
    case 'callTransferred':
    case 'callEnded':
    case 'recordingStarted':
    case 'recordingDelayed':
    case 'recordingFailed':
    case 'recordingEnded':
      return body.value.callId;
    default:
      return undefined;
  }
}

/** @param story undefined for a call of which nothing is known: only its beginning makes one. */
export function stepStory(story: CallStory | undefined, happening: Happening): Step {
  const { body } = happening;
  if (body.$case === 'callStarted') return { story: begun(body.value, happening), told: [] };
  if (story === undefined) return { story, told: [] };
  switch (body.$case) {
    case 'callAnswered':
      return answered(story, body.value, happening);
    case 'recordingStarted': {
      const live = [...story.live, body.value.recorderCallId].slice(-maxLive);
      return settled({ ...story, live }, happening);
    }
    case 'recordingDelayed':
      return { story: { ...story, delay: body.value.reason }, told: [] };
    case 'recordingFailed':
      if (!story.awaited && story.arrival !== undefined) return { story, told: [] };
      return settled(failed(story, body.value), happening);
    case 'recordingEnded':
      return { story: { ...story, live: story.live.filter((id) => id !== body.value.recorderCallId) }, told: [] };
    case 'callTransferred':
      return transferred(story, body.value, happening);
    case 'callEnded':
      return { story: undefined, told: ended(story, body.value, happening) };
    default:
      return { story, told: [] };
  }
}

/** When the seller is told at the latest that the call is not recorded; undefined when that has no time. */
export function deadlineOf({ arrival, seller, awaited, told }: CallStory, startWithinMs: number): number | undefined {
  return arrival === undefined || seller === '' || !awaited || told !== 'nothing'
    ? undefined
    : arrival.storedAtMs + startWithinMs;
}

/** The deadline has passed. */
export function expireStory(story: CallStory): Step {
  const { arrival, callId, delay } = story;
  if (arrival === undefined) return { story, told: [] };
  const event: DialerEvent = {
    event: 'CALL_NOT_RECORDED',
    payload: { callId, reason: delay ?? 'not-started-in-time' },
  };
  // No event of the stream stands for it: it takes its id from the one that began the wait, which told nothing itself.
  return { story: { ...story, told: 'not-recorded' }, told: [told(story, arrival.sequence, event)] };
}

/** The instance that had the call is gone: no event of the stream will tell of its end. The id is that of its beginning. */
export function loseStory(story: CallStory, time: Date): Told[] {
  return leaving(story, 'error', { sequence: story.beganAt, time });
}

/** The stream has begun anew: no place of before means anything in it, so that it was before its first one. */
export function rebaseStory(story: CallStory): CallStory {
  return { ...story, beganAt: 0, arrival: story.arrival && { ...story.arrival, sequence: 0 } };
}

function begun(call: Of<'callStarted'>, { sequence, storedAtMs }: Happening): CallStory {
  return {
    tenant: call.tenant,
    seller: call.seller,
    contact: contactOf(call),
    beganAtMs: storedAtMs,
    beganAt: sequence,
    arrival: undefined,
    awaited: false,
    callId: '',
    live: [],
    failure: undefined,
    delay: undefined,
    told: 'nothing',
  };
}

function answered(story: CallStory, call: Of<'callAnswered'>, happening: Happening): Step {
  const { seller, decision, recordingCallId: callId } = call;
  return settled(
    { ...story, seller, callId, awaited: decision?.record === true, arrival: arrivalOf(happening) },
    happening,
  );
}

function failed(story: CallStory, { recorderCallId, termination }: Of<'recordingFailed'>): CallStory {
  // Of several recorders at once the one counts under whose Call-ID the call is known.
  if (story.callId !== '' && recorderCallId !== story.callId) return story;
  return { ...story, callId: recorderCallId, failure: termination?.reason ?? 'unknown' };
}

/** Somebody else may be the seller now: the one before is out of the call, the new one comes into it. */
function transferred(story: CallStory, call: Of<'callTransferred'>, happening: Happening): Step {
  const contact = contactOf(call);
  if (call.seller === story.seller || story.arrival === undefined) {
    return { story: { ...story, contact, seller: call.seller }, told: [] };
  }
  const left = leaving(story, 'success', happening);
  const next: CallStory = {
    ...story,
    contact,
    seller: call.seller,
    awaited: call.decision?.record === true,
    callId: call.recordingCallId,
    failure: undefined,
    delay: undefined,
    told: 'nothing',
    arrival: arrivalOf(happening),
  };
  const step = settled(next, happening);
  return { story: step.story, told: [...left, ...step.told] };
}

function ended(story: CallStory, { termination }: Of<'callEnded'>, happening: Happening): Told[] {
  return leaving(story, termination?.result === Result.SUCCESS ? 'success' : 'error', happening);
}

/** Tells what the story has come to, if it has: the recording is there, or it has failed. */
function settled(story: CallStory, { sequence }: Happening): Step {
  const { arrival, seller, awaited, live, contact, failure } = story;
  if (arrival === undefined || seller === '' || story.told !== 'nothing') return { story, told: [] };
  // One that an operator began has a Call-ID that nobody could know.
  const callId = live.includes(story.callId) ? story.callId : awaited ? undefined : live.at(-1);
  if (callId !== undefined) {
    const { isIncoming, number, name } = contact;
    const startTime = arrival.time.toISOString();
    const payload = { callId, startTime, isIncomingCall: isIncoming, contactNumber: number, contactName: name };
    const next: CallStory = { ...story, callId, told: 'started' };
    return { story: next, told: [told(next, sequence, { event: 'WIDGET_CALL_STARTED', payload })] };
  }
  if (!awaited || failure === undefined) return { story, told: [] };
  const payload = { callId: story.callId, reason: failure };
  return {
    story: { ...story, told: 'not-recorded' },
    told: [told(story, sequence, { event: 'CALL_NOT_RECORDED', payload })],
  };
}

/** The seller is in the call no more. Whoever was told nothing and waits for nothing hears nothing. */
function leaving(
  story: CallStory,
  reason: 'success' | 'error',
  { sequence, time }: Pick<Happening, 'sequence' | 'time'>,
): Told[] {
  const { arrival, seller, callId, awaited } = story;
  if (arrival === undefined || seller === '' || (story.told === 'nothing' && !awaited)) return [];
  const payload = {
    callId,
    callDurationInSeconds: Math.max(0, Math.round((time.getTime() - arrival.time.getTime()) / 1_000)),
    callTerminationReason: reason,
    callEndTime: time.toISOString(),
    isCallStarted: story.told === 'started',
  };
  return [told(story, sequence, { event: 'WIDGET_CALL_ENDED', payload })];
}

function told({ tenant, seller }: CallStory, sequence: number, event: DialerEvent): Told {
  return { tenant, seller, id: String(sequence), ...event };
}

function arrivalOf({ sequence, storedAtMs, time }: Happening): Arrival {
  return { sequence, storedAtMs, time };
}

function contactOf(call: Of<'callStarted'> | Of<'callTransferred'>): Contact {
  const isIncoming = call.direction === Direction.INBOUND;
  const [uri, name] = isIncoming ? [call.calling, call.callingName] : [call.called, call.calledName];
  const number = /^(?:sips?|tel):([^@;]+)/.exec(uri)?.[1] ?? uri;
  return { isIncoming, number, name: name === '' ? number : name };
}
