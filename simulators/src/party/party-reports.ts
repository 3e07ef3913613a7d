/** What a party tells of its call by RTCP (RFC 3550 §6.4): what it has sent, and how it hears. Without it nobody knows how a call sounds. */
import { performance } from 'node:perf_hooks';
import type { Reception } from '../rtp/reception.js';
import { readSenderReport, type SenderInfo, writeSenderReport } from '../rtp/rtcp.js';

export interface PartyReportsOptions {
  everyMs: number;
  cname: string;
  /** What has been sent so far; undefined: nothing yet. */
  sent(): Omit<SenderInfo, 'at'> | undefined;
  heard(): Iterable<Reception>;
  transmit(bytes: Buffer): void;
}

/** See the module's head. */
export class PartyReports {
  readonly #options: PartyReportsOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #theirs = new Map<number, { middleOfTime: number; at: number }>();

  constructor(options: PartyReportsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#report(), options.everyMs).unref();
  }

  /** Takes what has come to the RTCP port. */
  take(bytes: Buffer): void {
    const report = readSenderReport(bytes);
    if (report === undefined || (this.#theirs.size >= 16 && !this.#theirs.has(report.ssrc))) return;
    this.#theirs.set(report.ssrc, { middleOfTime: report.middleOfTime, at: performance.now() });
  }

  /** Idempotent. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #report(): void {
    const { cname, sent, heard, transmit } = this.#options;
    const sender = sent();
    if (sender === undefined) return;
    const blocks = [...heard()].map((reception) => {
      const last = this.#theirs.get(reception.ssrc);
      if (last === undefined) return reception.report();
      const sinceLastReport = Math.round(((performance.now() - last.at) * 65_536) / 1_000) >>> 0;
      return { ...reception.report(), lastReport: last.middleOfTime, sinceLastReport };
    });
    transmit(writeSenderReport({ ...sender, at: Date.now() }, cname, blocks));
  }
}
