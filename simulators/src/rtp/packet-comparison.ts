/** Compares what a party sent with what arrived elsewhere, packet for packet. It knows no sockets and no encryption. */
import type { SentPacket } from './paced-sender.js';
import type { RtpPacket } from './rtp-packet.js';

/** Which sent packets count, by their send time in milliseconds since the epoch. */
export interface ComparisonWindow {
  /** From this moment; else from the first sent packet that arrived. */
  from?: number;
  /** Packets after this moment that did not arrive are not missed: the copy was being taken down while they were sent. */
  until?: number;
}

/** The result; `identical` means that every counted packet arrived with the same bytes, and nothing else did. */
export interface PacketComparison {
  packetsSent: number;
  packetsReceived: number;
  lost: number;
  /** Received packets whose payload, payload type or marker differs from the sent one. */
  changed: number;
  /** Received packets that were not sent, or came twice. */
  unknown: number;
  identical: boolean;
}

/** Sequence number and timestamp survive a relay that copies; the SSRC may not. */
function keyOf(packet: RtpPacket): string {
  return `${packet.sequenceNumber}/${packet.timestamp}`;
}

/** Compares; the order of arrival does not matter. Nothing sent and nothing received is not identical. */
export function comparePackets(
  sent: readonly SentPacket[],
  received: readonly RtpPacket[],
  window: ComparisonWindow = {},
): PacketComparison {
  const arrived = new Map(received.map((packet) => [keyOf(packet), packet]));
  const first = sent.findIndex((packet) =>
    window.from === undefined ? arrived.has(keyOf(packet)) : packet.sentAt >= window.from || arrived.has(keyOf(packet)),
  );
  const counted = (first === -1 ? [] : sent.slice(first)).filter(
    (packet) => window.until === undefined || packet.sentAt <= window.until || arrived.has(keyOf(packet)),
  );
  let lost = 0;
  let changed = 0;
  for (const packet of counted) {
    const other = arrived.get(keyOf(packet));
    if (other === undefined) lost += 1;
    else if (
      !other.payload.equals(packet.payload) ||
      other.payloadType !== packet.payloadType ||
      other.marker !== packet.marker
    ) {
      changed += 1;
    }
  }
  const unknown = received.length - (counted.length - lost);
  const identical = counted.length > 0 && lost === 0 && changed === 0 && unknown === 0;
  return { packetsSent: counted.length, packetsReceived: received.length, lost, changed, unknown, identical };
}
