// Events are kept for a week and read by whoever wants: what the last release has written is read, and so is what the next one will.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { JsonValue } from '@bufbuild/protobuf';
import type { Laboratory } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { Event } from '@sidestream/proto/events/v1';
import { openBus } from '../e2e/nats-stage.js';
import type { Stage } from '../e2e/stage.js';
import { ContractVersion } from './contract-version.js';
import { mixedDeployment } from './mixed-deployment.js';

const readyMs = 60_000;

/** One recorded call's events, as they were published. */
async function eventsOfCall(laboratory: Laboratory, inbound: () => ReturnType<Stage['inbound']>): Promise<Event[]> {
  const from = laboratory.events.length;
  const call = await inbound();
  const came = (kind: string) => laboratory.events.slice(from).some(({ body }) => body?.$case === kind);
  await eventually(() => came('recordingStarted'), 'the recording has begun');
  await call.customer.hangUp();
  await eventually(() => came('callEnded') && came('recordingEnded'), 'the ends are told');
  return laboratory.events.slice(from).filter(({ body }) => /^(call|recording)/.test(body?.$case ?? ''));
}

type Json = { [key: string]: JsonValue };
const isObject = (value: JsonValue | undefined): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const jsonOf = (event: Event): Json => JSON.parse(JSON.stringify(Event.toJSON(event)));

/** What stands in `part` stands in `whole`. */
function assertWithin(part: JsonValue, whole: JsonValue | undefined, path: string): void {
  if (!isObject(part) || !isObject(whole)) assert.deepEqual(part, whole, path);
  else for (const [key, value] of Object.entries(part)) assertWithin(value, whole[key], `${path}.${key}`);
}

test('events of today say the same to a reader of the last release; those of the last and of the next release to today’s gateway', async (t) => {
  const mixed = await mixedDeployment(t);
  if (!mixed) return;
  const { stage, release, inbound, dialer } = mixed;
  const { laboratory } = stage;
  const events = await eventsOfCall(laboratory, inbound);
  for (const event of events) {
    const read = Event.decode(release.passOn(eventName, Event.encode(event).finish()));
    assert.equal(read.body?.$case, event.body?.$case, 'its kind is known to the last release');
    assertWithin(jsonOf(read), jsonOf(event), event.body?.$case ?? '');
  }
  // Reads as the last release does all that a call tells, of which the dialer lives.
  const kinds = new Set(events.map(({ body }) => body?.$case));
  for (const kind of ['callStarted', 'callAnswered', 'callEnded', 'recordingStarted', 'recordingEnded'] as const)
    assert.ok(kinds.has(kind), kind);

  const seller = await dialer();
  const { jetstream } = await openBus(t, [laboratory.nats.url]).whenConnected(AbortSignal.timeout(readyMs));
  const told = async (write: (event: Json) => Promise<Uint8Array>, before: Json[] = []) => {
    const [callId, recordingCallId, heard] = [randomUUID(), randomUUID().replaceAll('-', ''), seller.events.length];
    const ofCall = JSON.stringify(events.map(jsonOf))
      .replaceAll(callIdOf(events), callId)
      .replaceAll(recordingCallIdOf(events), recordingCallId);
    for (const event of [...before, ...(JSON.parse(ofCall) as Json[])])
      await jetstream.publish(
        'events.call.skew',
        await write({ ...event, id: randomUUID(), time: new Date().toISOString() }),
      );
    await eventually(() => seller.events.length === heard + 2, 'the dialer is told of start and end');
    const [started, ended] = seller.events.slice(heard);
    assert.deepEqual([started?.event, ended?.event], ['WIDGET_CALL_STARTED', 'WIDGET_CALL_ENDED']);
    assert.deepEqual([started?.payload['callId'], ended?.payload['callId']], [recordingCallId, recordingCallId]);
    return ended?.payload['callTerminationReason'];
  };
  const today = (event: Json) => Event.encode(Event.fromJSON(event)).finish();
  assert.equal(await told(async (event) => release.passOn(eventName, today(event))), 'success');

  const next = ContractVersion.nextRelease();
  const weather = { degrees: 21.5 };
  const grown = (event: Json): Json => {
    const { callStarted, callEnded } = event;
    if (isObject(callStarted)) return { ...event, callStarted: { ...callStarted, colour: 'blue', weather } };
    if (!isObject(callEnded)) return event;
    const termination = { result: 'RESULT_TOMORROW', reason: 'sunset', forecast: [weather] };
    return { ...event, callEnded: { ...callEnded, termination, colour: 'red', weather: { rome: weather } } };
  };
  // A kind of event that nobody knows yet comes before, and a result; unknown counts against us.
  const unknown = { source: 'signalling.s1', weather: { callId: 'none', ...weather } };
  assert.equal(await told(async (event) => next.write(eventName, grown(event)), [unknown]), 'error');
  const health = await fetch(`${mixed.deployment.status.addresses['gateway.management']}/readyz`);
  assert.equal(health.status, 200);
});

const eventName = 'sidestream.events.v1.Event';

function callIdOf(events: readonly Event[]): string {
  for (const { body } of events) if (body?.$case === 'callStarted') return body.value.callId;
  throw new Error('no call has started');
}

function recordingCallIdOf(events: readonly Event[]): string {
  for (const { body } of events) if (body?.$case === 'callAnswered') return body.value.recordingCallId;
  throw new Error('no call was answered');
}
