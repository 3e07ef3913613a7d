// A recorded call between two parties, with a count of the packets that did not arrive: at the other party and, decrypted, at the recorder.
import { eventually } from '@sidestream/peers';
import type { PartyCall, RecorderSession, RecorderSimulator, RtpPacket } from '@sidestream/simulators';
import type { Stage, StageCall } from '../e2e/stage.js';

/** Milliseconds since the epoch. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

/** Of the packets that were sent in a period. */
export interface Losses {
  readonly sent: number;
  readonly atParties: number;
  readonly atRecorder: number;
}

export class RecordedCall {
  readonly call: StageCall;
  readonly #session: RecorderSession;

  private constructor(call: StageCall, session: RecorderSession) {
    this.call = call;
    this.#session = session;
  }

  /** Places calls one after the other, at the stage's edge or at `uri`; each is up and recorded, at the stage's recorder or at `recorder`. */
  static async placeMany(
    stage: Stage,
    count: number,
    uri?: string,
    { sessions }: RecorderSimulator = stage.laboratory.recorder,
  ): Promise<RecordedCall[]> {
    const calls: RecordedCall[] = [];
    while (calls.length < count) {
      const before = sessions.length;
      const call = await stage.inbound(undefined, uri);
      const flows = () =>
        sessions.length > before && sessions.at(-1)?.streams.every(({ packets }) => packets.length > 5);
      await eventually(() => flows() === true, `call ${calls.length + 1} is recorded`);
      const session = sessions.at(-1);
      if (session !== undefined) calls.push(new RecordedCall(call, session));
    }
    return calls;
  }

  losses(period: Period): Losses {
    const { customer, seller } = this.call;
    const recorded = (label: string) => this.#session.streams.find((stream) => stream.label === label)?.packets ?? [];
    const sent = [sentIn(customer, period), sentIn(seller, period)] as const;
    return {
      sent: sent[0].length + sent[1].length,
      atParties: missing(sent[0], seller.received) + missing(sent[1], customer.received),
      atRecorder: missing(sent[0], recorded('inbound')) + missing(sent[1], recorded('outbound')),
    };
  }

  get authFailures(): number {
    return this.#session.streams.reduce((sum, { statistics }) => sum + statistics.authFailures, 0);
  }

  get over(): boolean {
    return this.call.customer.over || this.call.seller.over;
  }
}

/** The losses of all calls in a period. */
export function lossesOf(calls: readonly RecordedCall[], period: Period): Losses {
  const all = calls.map((call) => call.losses(period));
  const sum = (of: (losses: Losses) => number) => all.reduce((total, losses) => total + of(losses), 0);
  return {
    sent: sum(({ sent }) => sent),
    atParties: sum(({ atParties }) => atParties),
    atRecorder: sum(({ atRecorder }) => atRecorder),
  };
}

function sentIn({ sent }: PartyCall, { from, until }: Period) {
  return sent.filter(({ sentAt }) => sentAt >= from && sentAt < until);
}

function missing(
  sent: readonly Pick<RtpPacket, 'sequenceNumber' | 'timestamp'>[],
  arrived: readonly RtpPacket[],
): number {
  const keys = new Set(arrived.map(keyOf));
  return sent.filter((packet) => !keys.has(keyOf(packet))).length;
}

/** A relay that copies keeps both; the SSRC it may not. */
function keyOf({ sequenceNumber, timestamp }: Pick<RtpPacket, 'sequenceNumber' | 'timestamp'>): string {
  return `${sequenceNumber}/${timestamp}`;
}
