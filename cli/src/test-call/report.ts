// What a test call has proven, for people and, as it is, for programs. Pure.
import type { SessionStatus } from '@sidestream/simulators';
import type { RecordProof } from './record-proof.js';
import type { Arrived, VoiceProof } from './voices.js';

/** The document of `--json`; what was not reached is null. */
export interface TestCallReport {
  ok: boolean;
  readonly uri: string;
  options: { readonly status: number; readonly reason: string; readonly ms: number } | null;
  call: {
    readonly sipCallId: string;
    /** Where our called party was reached. */
    readonly calledAt: string;
    readonly postDialDelayMs: number;
    readonly talkMs: number;
  } | null;
  voices: readonly VoiceProof[];
  /** As the recorder has it. */
  recording: SessionStatus | null;
  /** As the deployment has it. */
  record: RecordProof | null;
  readonly faults: string[];
}

export function emptyReport(uri: string): TestCallReport {
  return { ok: false, uri, options: null, call: null, voices: [], recording: null, record: null, faults: [] };
}

/** A line for each step, each fault, and the verdict. */
export function reportText({ ok, uri, options, call, voices, recording, record, faults }: TestCallReport): string {
  const lines: string[] = [];
  const line = (what: string, text: string) => lines.push(`${what.padEnd(10)}${text}`);
  if (options) line('OPTIONS', `${options.status} ${options.reason} after ${options.ms} ms`);
  if (call) {
    const { sipCallId, calledAt, postDialDelayMs, talkMs } = call;
    line(
      'call',
      `${uri} rang ${calledAt} after ${postDialDelayMs} ms, ${(talkMs / 1_000).toFixed(1)} s, Call-ID ${sipCallId}`,
    );
  }
  for (const { party, sent, heard, recorded } of voices) {
    const copy = recorded === null ? '' : `; recorder, ${recorded.label}: ${told(recorded)}`;
    line(party, `${sent} packets; other party: ${told(heard)}${copy}`);
  }
  if (recording)
    line('recorder', `${recording.callId}, ${recording.tlsVersion}, client ${recording.clientSubject || 'unknown'}`);
  if (record) {
    const counts = record.packets.map(
      ({ party, received, copied }) => `${party} ${copied} of ${received} packets copied`,
    );
    line('record', `${record.callId}, tenant ${record.tenant}: ${record.recorded}; ${counts.join(', ')}`);
  }
  for (const fault of faults) line('FAULT', fault);
  lines.push(
    ok
      ? 'PASSED: the call was put through and both voices were recorded'
      : `FAILED: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`,
  );
  // What others say of themselves goes to a terminal: nothing of it may be a command to that.
  return lines.map((text) => text.replace(/[\p{Cc}\p{Cf}]/gu, '?')).join('\n');
}

function told({ packets, lost, foreign, startsAfterMs }: Arrived): string {
  if (startsAfterMs === null) return 'nothing';
  return `${packets} from ${startsAfterMs} ms on, ${lost} lost, ${foreign} foreign`;
}
