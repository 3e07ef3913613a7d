/** How the voices of a call flow, as an operator reads it: from whom, and whether it reaches the recorder. Pure. */
import type { Call, Recording, Voice } from '../api/shapes.js';
import { capital, currentRecording, type Tone } from './conditions.js';

export interface VoiceFlow {
  readonly party: string;
  /** Packets per second from the party. */
  readonly incoming: number;
  /** Those that leave for the recorder; undefined where there is none, or it is not known. */
  readonly copied: number | undefined;
  /** `idle`: the party sends nothing, as on hold or mute. `bad`: it does, and the recorder gets nothing of it though it should. */
  readonly tone: Tone;
}

/** The voices with the recording that counts, unless another one is named; empty where nothing is known. */
export function voiceFlows(
  call: Call,
  recording: Recording | undefined = currentRecording(call),
): readonly VoiceFlow[] {
  const isLive = recording !== undefined && recording.phase !== 'ended';
  return (call.voices ?? []).map(({ party, packetsPerSecond: incoming }) => {
    const copied = isLive ? rateOf(recording.voices, party) : undefined;
    const isLost = incoming > 0 && copied === 0 && recording?.phase === 'active';
    return { party: capital(party), incoming, copied, tone: isLost ? 'bad' : incoming > 0 ? 'good' : 'idle' };
  });
}

function rateOf(voices: readonly Voice[] = [], party: string): number | undefined {
  return voices.find((voice) => voice.party === party)?.packetsPerSecond;
}
