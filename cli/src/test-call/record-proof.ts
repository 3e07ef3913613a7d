// What the deployment itself says of a test call when it is over: its call record in NATS, found by the Call-ID of our leg.
import type { CallRecord, PartyPackets } from '@sidestream/proto/records/v1';
import { bounded, readRecords, type SidestreamConfig, SidestreamError } from '@sidestream/service';
import { recordedOrNot } from '../commands/recorded-or-not.js';
import { withNats } from '../control-plane.js';

export interface RecordProof {
  readonly callId: string;
  readonly tenant: string;
  readonly verdict: string;
  /** Whether it was recorded, and if not, why. */
  readonly recorded: string;
  /** Packets that came from each party, and those that left for recorders. */
  readonly packets: readonly { readonly party: string; readonly received: number; readonly copied: number }[];
}

/** Between our clock and NATS'. */
const skewMs = 60_000;

/**
 * Waits until there is a record of the call.
 *
 * @throws SidestreamError `not-found` when there is none within the time; `not-ready` without NATS; the signal's reason
 */
export function findRecord(
  config: SidestreamConfig,
  sipCallId: string,
  withinMs: number,
  signal: AbortSignal,
): Promise<RecordProof> {
  const since = new Date(Date.now() - withinMs - skewMs);
  return withNats(config, async (session) => {
    const record = await bounded(withinMs, signal, async (within) => {
      for await (const one of readRecords(session, { since }, within))
        if (one.legs[0]?.sipCallId === sipCallId) return one;
      return undefined;
    });
    signal.throwIfAborted();
    if (record !== undefined) return proofOf(record);
    throw new SidestreamError(
      'not-found',
      `NATS has no record of the call (Call-ID ${sipCallId}) ${withinMs} ms after its end`,
    );
  });
}

/** What speaks against a record, in words; a voice must have left for the recorder for half of the time at least. */
export function recordFaults({ verdict, recorded, packets }: RecordProof): string[] {
  if (verdict !== 'complete') return [`the deployment says: ${recorded}`];
  return packets
    .filter(({ received, copied }) => copied === 0 || copied < received / 2)
    .map(({ party, received, copied }) => `the deployment has copied ${copied} of ${received} packets of the ${party}`);
}

function proofOf(record: CallRecord): RecordProof {
  const of = (counts: readonly PartyPackets[], party: string) =>
    counts.filter((one) => one.party === party).reduce((sum, { packets }) => sum + Number(packets), 0);
  const copied = record.recordings.flatMap((recording) => recording.copied);
  return {
    ...{ callId: record.callId, tenant: record.tenant, recorded: recordedOrNot(record) },
    verdict: record.verdict.replace('VERDICT_', '').replaceAll('_', '-').toLowerCase(),
    packets: ['customer', 'seller'].map((party) => ({
      party,
      received: of(record.received, party),
      copied: of(copied, party),
    })),
  };
}
