// How calls and what happens to them are shown: a table and lines for people, plain data for programs. Pure.
import type { Call, Recording, Voice } from '@sidestream/proto/calls/v1';
import { Direction, type Event } from '@sidestream/proto/events/v1';
import Table from 'cli-table3';

export function callsTable(calls: readonly Call[]): string {
  const table = new Table({
    head: ['call', 'at', 'tenant', 'for', 'state', 'direction', 'calling', 'called', 'recording'],
    style: { head: [], border: [] },
  });
  for (const call of calls) {
    const { callId, instance, tenant, phase, calling, called, recordings, missing } = call;
    const recording = missing === undefined ? (recordings.at(-1)?.phase ?? '') : `missing: ${missing.reason}`;
    table.push([
      callId,
      instance,
      tenant,
      lasting(call),
      phase,
      directionOf(call),
      calling?.uri,
      called?.uri,
      recording,
    ]);
  }
  return table.toString();
}

export function describeCall(call: Call): string {
  const { callId, instance, tenant, trunk, phase, calling, called, seller, decision, recordings, missing, voices } =
    call;
  const rows: Record<string, string> = {
    at: instance,
    tenant: `${tenant}, from trunk ${trunk}`,
    state: `${phase}, for ${lasting(call)}`,
    direction: directionOf(call),
    calling: [calling?.name, calling?.uri].filter(Boolean).join(' '),
    called: [called?.name, called?.uri].filter(Boolean).join(' '),
    seller,
    decision: decision === undefined ? '' : `${decision.record ? 'record' : 'do not record'}: ${decision.reason}`,
    missing: missing === undefined ? '' : `${missing.reason}, since ${missing.since?.toISOString() ?? ''}`,
    voices: ratesOf(voices),
  };
  const lines = Object.entries(rows).flatMap(([name, value]) => (value === '' ? [] : [`  ${name.padEnd(11)}${value}`]));
  return [callId, ...lines, ...recordings.map(describeRecording)].join('\n');
}

function describeRecording({ recordingId, phase, recorder, recorderCallId, pausedBy, voices }: Recording): string {
  const by = pausedBy.length === 0 ? '' : ` by ${pausedBy.join(' and ')}`;
  const copied = voices.length === 0 ? '' : `\n             copied: ${ratesOf(voices)}`;
  return `  recording  ${phase}${by} at ${recorder}${copied}\n             id ${recordingId}, Call-ID ${recorderCallId}`;
}

/** Packets per second of each party, as the call was looked at. */
function ratesOf(voices: readonly Voice[]): string {
  return voices.map(({ party, packetsPerSecond }) => `${party} ${Math.round(packetsPerSecond)} packets/s`).join(', ');
}

/** `12:00:01.250 recording started  call=… recorderHost=…` */
export function describeEvent({ time, body }: Event): string {
  if (body === undefined) return '';
  const what = body.$case.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const fields = Object.entries(body.value).flatMap(([name, value]: [string, unknown]) => fieldOf(name, value));
  return `${(time ?? new Date()).toISOString().slice(11, 23)} ${what.padEnd(18)} ${fields.join(' ')}`;
}

/** What JSON shows of a call: words instead of the wire's enumerations. */
export function plainCall(call: Call): object {
  return { ...call, direction: directionOf(call) };
}

function fieldOf(name: string, value: unknown): string[] {
  if (value === '' || value === undefined) return [];
  if (typeof value === 'string' || typeof value === 'number') return [`${name}=${value}`];
  if (typeof value !== 'object' || value === null || !('reason' in value)) return [];
  const detail = 'detail' in value && value.detail !== '' ? ` (${value.detail})` : '';
  return [`${name}=${value.reason}${detail}`];
}

function directionOf({ direction }: Call): string {
  return direction === Direction.OUTBOUND ? 'outbound' : 'inbound';
}

function lasting({ startedAt }: Call): string {
  const total = Math.max(0, Math.round((Date.now() - (startedAt ?? new Date()).getTime()) / 1_000));
  return total < 3_600
    ? `${Math.floor(total / 60)}:${String(total % 60).padStart(2, '0')}`
    : `${Math.floor(total / 3_600)} h ${Math.floor((total % 3_600) / 60)} min`;
}
