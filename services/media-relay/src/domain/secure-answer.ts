// The last look at a recorder's answer before the engine hears of it. The engine sends plaintext to whoever answers
// RTP/AVP and reads attributes nobody asked for (DTLS, ICE), so the answer is checked here a second time, whoever checked
// it before, and written anew from the lines that are understood. Pure; holds keys, logs nothing.
import { SidestreamError } from '@sidestream/service';
import type { ForkOffer } from './ports.js';

const maxLines = 200;
/** 30 bytes (key and salt) in base64 make 40 characters (RFC 4568 §6.2); lifetime and MKI may follow. */
const crypto = /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}(\|[0-9^:|]+)?$/;
const secureAudio = /^m=audio ([1-9]\d{0,4}) RTP\/SAVP( \d{1,3})+$/;
const refusedAudio = /^m=audio 0 \S+( \S+)+$/;
const passedInSession = /^[vosctb]=/;
const passedInMedia =
  /^(c=|b=|a=(rtpmap|fmtp|ptime|maxptime|rtcp|label|crypto):|a=(sendrecv|sendonly|recvonly|inactive)$)/;
const direction = /^a=(sendrecv|sendonly|recvonly|inactive)$/;

/**
 * Proves that a recorder's answer can carry nothing in clear, and fits it to the engine's offer.
 *
 * @param sdp the recorder's answer: one media line per stream of the offer.
 * @param refusals the engine's media lines, see ForkOffer.
 * @returns the SDP for the engine: unknown attributes gone, a line that takes no media (inactive, sendonly) with port 0,
 *   the lines that were never shown to the recorder refused.
 * @throws SidestreamError recorder-answer-unusable, naming the media line.
 */
export function secureAnswer(sdp: string, refusals: ForkOffer['refusals']): string {
  const lines = sdp.replace(/(\r?\n)+$/, '').split(/\r?\n/);
  if (lines.length > maxLines) throw unusable('it is too long');
  // A lone CR or another control character is where two parsers begin to differ.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (lines.some((line) => !/^[a-z]=/.test(line) || /[\x00-\x08\x0a-\x1f]/.test(line)))
    throw unusable('it is not made of SDP lines');
  const first = lines.findIndex((line) => line.startsWith('m='));
  if (first < 0) throw unusable('it has no media line');
  const head = lines.slice(0, first);
  const sections = split(lines.slice(first));
  const streams = refusals.filter((refusal) => refusal === undefined).length;
  if (sections.length !== streams)
    throw unusable(`it has ${sections.length} media lines where ${streams} were offered`);
  const sessionDirection = head.find((line) => direction.test(line));
  const addressed = head.some((line) => line.startsWith('c='));
  const secured = sections.map((section, index) => {
    const lines = secureSection(section, index + 1, sessionDirection);
    // The engine would refuse it as well, but writes what it refuses into its log, keys and all.
    if (lines.length > 1 && !addressed && !lines.some((line) => line.startsWith('c=')))
      throw unusable(`media line ${index + 1} has no address`);
    return lines;
  });
  const body = refusals.flatMap((refusal) => (refusal === undefined ? (secured.shift() ?? []) : [refusal]));
  return [...addressedHead(head.filter((line) => passedInSession.test(line))), ...body, ''].join('\r\n');
}

/** The engine reads no SDP with a line that has no address (RFC 4566 §5.7), not even one that refuses the media. */
function addressedHead(head: readonly string[]): readonly string[] {
  if (head.some((line) => line.startsWith('c='))) return head;
  const next = head.findIndex((line) => line.startsWith('b=') || line.startsWith('t='));
  return head.toSpliced(next < 0 ? head.length : next, 0, 'c=IN IP4 0.0.0.0');
}

function secureSection(section: readonly string[], number: number, sessionDirection: string | undefined): string[] {
  const [media = '', ...attributes] = section;
  if (refusedAudio.test(media)) return [media];
  const port = secureAudio.exec(media)?.[1];
  if (port === undefined || Number(port) > 65535) throw unusable(`media line ${number} is not audio over RTP/SAVP`);
  const cryptos = attributes.filter((line) => line.startsWith('a=crypto'));
  if (cryptos.length !== 1 || !crypto.test(cryptos[0] ?? ''))
    throw unusable(`media line ${number} does not carry exactly one a=crypto with the offered tag and suite`);
  const wanted = attributes.find((line) => direction.test(line)) ?? sessionDirection;
  // rtpengine 10.5 goes on sending to a recorder that answered inactive; only port 0 stops it.
  if (wanted === 'a=inactive' || wanted === 'a=sendonly') return [media.replace(/^m=audio \d+/, 'm=audio 0')];
  return [media, ...attributes.filter((line) => passedInMedia.test(line))];
}

function split(lines: readonly string[]): string[][] {
  const sections: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push([line]);
    else sections.at(-1)?.push(line);
  }
  return sections;
}

function unusable(why: string): SidestreamError {
  return new SidestreamError('recorder-answer-unusable', `the recorder's answer is refused: ${why}`);
}
