// `bench sip`: what it costs to read, change and write a SIPREC INVITE, against drachtio-srf's parser in the same run.
import { isDeepStrictEqual } from 'node:util';
import { parseMessage } from '@sidestream/sip';
import { median, type Report, rounded, thisMachine } from '../report.js';
import { type Codec, drachtioSrf, ours } from './codecs.js';
import { siprecInvite } from './siprec-invite.js';

export interface SipBenchOptions {
  readonly rounds: number;
  /** Messages of one round and codec. */
  readonly messages: number;
}

export const sipBenchDefaults: SipBenchOptions = { rounds: 31, messages: 4_000 };

export const sipBenchRemarks: Readonly<Record<string, string>> = {
  oursMicroseconds: 'CPU a message, median of the rounds',
  parseVsDrachtioSrf: 'times as fast as drachtio-srf; goal ≥ 1',
};

/**
 * Measures in rounds that take turns, so that both see the same machine; the ratio is the median over the rounds.
 * @throws Error when the two do not read and write the same message
 */
export function sipBench({ rounds, messages }: SipBenchOptions): Report {
  const machine = thisMachine();
  const bytes = siprecInvite();
  checkSameWork(bytes);
  for (const codec of [ours, drachtioSrf]) microseconds(codec, bytes, messages);
  const samples = Array.from({ length: rounds }, (_, round) => {
    const order: [Codec, Codec] = round % 2 === 0 ? [ours, drachtioSrf] : [drachtioSrf, ours];
    const [first, second] = [microseconds(order[0], bytes, messages), microseconds(order[1], bytes, messages)];
    return round % 2 === 0 ? { ours: first, theirs: second } : { ours: second, theirs: first };
  });
  return {
    name: 'sip',
    figures: {
      messageBytes: bytes.length,
      oursMicroseconds: rounded(median(samples.map((sample) => sample.ours))),
      drachtioSrfMicroseconds: rounded(median(samples.map((sample) => sample.theirs))),
    },
    ratios: { parseVsDrachtioSrf: rounded(median(samples.map((sample) => sample.theirs / sample.ours))) },
    machine,
  };
}

function microseconds(codec: Codec, bytes: Buffer, messages: number): number {
  let written = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < messages; i += 1) written += codec(bytes).output.length;
  const { user, system } = process.cpuUsage(before);
  if (written < messages * bytes.length * 0.9) throw new Error('a codec has left a part of the message out');
  return (user + system) / messages;
}

/** Whoever does less is not faster: both outputs must be the same message to both parsers. */
function checkSameWork(bytes: Buffer): void {
  const [mine, theirs] = [ours(bytes), drachtioSrf(bytes)];
  for (const [index, part] of mine.parts.entries()) {
    // drachtio-srf takes an empty line for a part's end, and leaves the closing delimiter on the last one.
    if (theirs.parts[index]?.startsWith(part.trimEnd()) !== true)
      throw new Error(`body part ${index + 1} is read differently`);
  }
  for (const reparse of [reparsed, reparsedByDrachtio]) {
    const [a, b] = [reparse(mine.output), reparse(theirs.output)];
    if (!isDeepStrictEqual(a, b)) throw new Error('the outputs of the two programs are not the same message');
  }
}

function reparsed(output: Buffer): unknown {
  const message = parseMessage(output, { stream: true });
  const { topVia, from, to, callId, cseq, contacts, contentType, body } = message;
  const lines = [...message.headers].map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort();
  return { topVia, from, to, callId, cseq, contacts, contentType, body: body.toString(), lines };
}

function reparsedByDrachtio(output: Buffer): unknown {
  const { values, parts } = drachtioSrf(output);
  return { values, parts };
}
