// An event stream as the fold reads it: numbered from 1, one second between two events unless told.
import { Direction, Result } from '@sidestream/proto/events/v1';
import type { Happening } from '../domain/call-story.js';

type Body = Happening['body'];
const decision = { record: true, reason: 'listed', policyRevision: '1', recorders: ['eastus'] };
const base = { callId: 'c1', tenant: 'contoso' };
const parties = {
  calling: 'sip:+4915112345678@carrier.example',
  called: 'sip:+493012345001@pbx',
  callingName: '',
  calledName: '',
};

export class TestStream {
  nowMs = Date.UTC(2026, 0, 1);
  #sequence = 0;

  next(body: Body): Happening {
    this.#sequence += 1;
    this.nowMs += 1_000;
    return { sequence: this.#sequence, storedAtMs: this.nowMs, time: new Date(this.nowMs), body };
  }
}

export const started = (seller = 'ada', callId = 'c1'): Body => ({
  $case: 'callStarted',
  value: { ...base, callId, direction: Direction.INBOUND, trunk: 'carrier', seller, ...parties, decision },
});

export const answered = (seller = 'ada', record = true, callId = 'c1'): Body => ({
  $case: 'callAnswered',
  value: {
    ...base,
    callId,
    direction: Direction.INBOUND,
    seller,
    decision: { ...decision, record },
    recordingCallId: record ? `r-${callId}` : '',
    answerDelayMs: 1,
    postDialDelayMs: 1,
  },
});

export const recorded = (recorderCallId = 'r-c1', callId = 'c1'): Body => ({
  $case: 'recordingStarted',
  value: {
    ...base,
    callId,
    recordingId: recorderCallId,
    seller: 'ada',
    recorderCallId,
    recorderHost: 'r',
    tlsVersion: 'TLSv1.3',
    clientCertificateSubject: 'CN=contoso',
    startDelayMs: 1,
  },
});

export const recordingFailed = (recorderCallId = 'r-c1'): Body => ({
  $case: 'recordingFailed',
  value: {
    callId: 'c1',
    recordingId: 'x',
    recorderHost: 'r',
    recorderCallId,
    termination: terminated(Result.UPSTREAM_ERROR, 'recorder-refused'),
  },
});

export const recordingDelayed = (reason: string): Body => ({
  $case: 'recordingDelayed',
  value: { callId: 'c1', recordingId: 'x', recorderHost: 'r', reason, detail: '' },
});

export const transferred = (seller: string, record = true): Body => ({
  $case: 'callTransferred',
  value: {
    ...base,
    direction: Direction.INBOUND,
    party: 'seller',
    seller,
    ...parties,
    decision: { ...decision, record },
    recordingCallId: 'r-c1',
  },
});

export const ended = (result = Result.SUCCESS, callId = 'c1'): Body => ({
  $case: 'callEnded',
  value: { ...base, callId, termination: terminated(result, 'hangup'), durationMs: 3_000 },
});

function terminated(result: Result, reason: string) {
  return { result, reason, detail: '' };
}
