/** A call for tests: answered, to be recorded, and recorded, unless told. */
import type { Call, Recording } from '../api/shapes.js';

export function callOf(changes: Partial<Call> = {}): Call {
  return {
    callId: 'call-1',
    instance: 'signalling.one',
    tenant: 'contoso',
    trunk: 'carrier',
    direction: 'inbound',
    phase: 'talking',
    startedAt: '2026-11-26T12:00:00.000Z',
    answeredAt: '2026-11-26T12:00:04.000Z',
    calling: { uri: 'sip:+49•••20@carrier.example', name: '' },
    called: { uri: 'sip:a••@pbx.example', name: 'A•••' },
    seller: 'ada',
    decision: { record: true, reason: 'listed', policyRevision: 'abc123', recorders: ['eastus'] },
    recordings: [recordingOf()],
    ...changes,
  };
}

export function recordingOf(changes: Partial<Recording> = {}): Recording {
  return { recordingId: 'r-1', recorderCallId: '0a1b', phase: 'active', recorder: 'eastus', pausedBy: [], ...changes };
}
