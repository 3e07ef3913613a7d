// What became of the two voices of a test call: at the other party, and at the recorder. Pure.
import { comparePackets, fingerprint, type SentPacket, type StreamPackets } from '@sidestream/simulators';

/** A voice somewhere else, compared packet for packet with what was said. */
export interface Arrived {
  readonly packets: number;
  readonly lost: number;
  /** Packets with another content, or that were never sent. */
  readonly foreign: number;
  /** From the first packet that was sent to the first one that arrived. */
  readonly startsAfterMs: number | null;
}

export interface VoiceProof {
  readonly party: 'caller' | 'called';
  readonly sent: number;
  readonly heard: Arrived;
  /** Null where nobody was asked, or nothing of this voice was there. */
  readonly recorded: (Arrived & { readonly label: string }) | null;
}

/** What may be wrong with a voice before it counts. */
export interface Tolerance {
  readonly maxLossPercent: number;
  /** A recording is set up beside the answer, so its first packets may be missing. */
  readonly maxStartMs: number;
}

/** Packets are under way: those that were sent so shortly before the end may be missing. */
const underWayMs = 200;

/** Compares what arrived with what was sent; nobody spoke any more from `endedAt` on. */
export function arrived(sent: readonly SentPacket[], packets: StreamPackets['packets'], endedAt: number): Arrived {
  const until = endedAt - underWayMs;
  const { lost, changed, unknown } = comparePackets(sent.map(fingerprint), packets, { until });
  const first = firstOf(sent, packets);
  const startsAfterMs = first === undefined ? null : first.sentAt - (sent[0]?.sentAt ?? 0);
  return { packets: packets.length, lost, foreign: changed + unknown, startsAfterMs };
}

/** The stream in which this voice is, by its packets. */
export function streamOf(sent: readonly SentPacket[], streams: readonly StreamPackets[]): StreamPackets | undefined {
  return streams.find(({ packets }) => firstOf(sent, packets) !== undefined);
}

/** The first packet sent of those that arrived. */
function firstOf(sent: readonly SentPacket[], packets: StreamPackets['packets']): SentPacket | undefined {
  const there = new Set(packets.map(({ sequenceNumber, timestamp }) => `${sequenceNumber}/${timestamp}`));
  return sent.find(({ sequenceNumber, timestamp }) => there.has(`${sequenceNumber}/${timestamp}`));
}

/** What speaks against a voice, in words. */
export function voiceFaults({ party, sent, heard, recorded }: VoiceProof, tolerance: Tolerance): string[] {
  const other = party === 'caller' ? 'called' : 'caller';
  return [
    ...(sent === 0 ? [`the ${party} could not speak`] : []),
    ...faultsOf(`the ${other} party, hearing the ${party}`, heard, sent, tolerance),
    ...(recorded === null
      ? []
      : faultsOf(`the recorder, stream ${recorded.label} of the ${party}`, recorded, sent, tolerance)),
  ];
}

function faultsOf(
  where: string,
  { packets, lost, foreign, startsAfterMs }: Arrived,
  sent: number,
  { maxLossPercent, maxStartMs }: Tolerance,
): string[] {
  if (packets === 0 || startsAfterMs === null) return [`${where}: nothing of ${sent} packets arrived`];
  const faults: string[] = [];
  if (lost > (sent * maxLossPercent) / 100) faults.push(`${where}: ${lost} of ${sent} packets lost`);
  if (foreign > 0) faults.push(`${where}: ${foreign} packets are not what was said`);
  if (startsAfterMs > maxStartMs) faults.push(`${where}: the first ${startsAfterMs} ms are missing`);
  return faults;
}
