// Reads a party's session description and keeps of it what a call needs: one audio stream, in RTP or in SRTP whose key stands in the
// description (RFC 4568). Everything else, and everything that we cannot answer for (ICE, DTLS, BUNDLE, a sender's names), stays out of
// the engine and of the other party's sight. Pure; sees keys, logs nothing.
import { SidestreamError } from '@sidestream/service';

/** A tenth of it is a long description. */
const maxBytes = 16 * 1024;
const maxMediaLines = 32;

/**
 * The media lines of a peer in their order: undefined for the audio that the call uses, else the line that refuses the medium
 * (RFC 3264 §6: an answer has as many as the offer, and each later offer at least as many).
 */
export type Layout = readonly (string | undefined)[];

export interface Description {
  /** The audio stream alone, as the engine hears it. */
  readonly sdp: string;
  readonly layout: Layout;
}

/** What encrypts and authenticates; the engine would take suites that do neither. */
const suite = /^a=crypto:\d{1,9} (AES_CM_128|AES_256_CM)_HMAC_SHA1_(80|32) |^a=crypto:\d{1,9} AEAD_AES_(128|256)_GCM /i;
/** RFC 4568 §6.3: parameters that switch encryption or authentication off. */
const weakened = /\bUN(ENCRYPTED|AUTHENTICATED)_SRTC?P\b/i;
const audioLine = /^m=audio ([1-9]\d{0,4})(?:\/\d+)? (RTP\/S?AVPF?) \d/;
/** What a description may say of its audio that does not concern the other side of a B2BUA, or that the answer does not honour. */
const dropped =
  /^[ik]=|^a=(ice-|candidate|end-of-candidates|remote-candidates|fingerprint|setup|tls-id|identity|mid|msid|ssrc|rtcp-fb|rtcp-rsize|extmap|rid|simulcast|bundle-only|label)/;
const keptInSession = /^[octb]=|^a=(sendrecv|sendonly|recvonly|inactive)$/;

/**
 * @returns the first audio stream that can be used, and what refuses the others.
 * @throws SidestreamError not-acceptable-here, saying why there is none.
 */
export function readDescription(sdp: string): Description {
  const bytes = Buffer.byteLength(sdp);
  if (bytes > maxBytes) throw unacceptable(`it has ${bytes} bytes, the most that is taken is ${maxBytes}`);
  // Where two parsers would begin to differ: what is no line of SDP is not passed on.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  const lines = sdp.split(/\r\n?|\n/).filter((line) => /^[a-z]=[^\x00-\x08\x0b-\x1f]*$/.test(line));
  if (lines[0] !== 'v=0') throw unacceptable('it does not begin with v=0');
  const [head = [], ...sections] = sectionsOf(lines);
  if (sections.length > maxMediaLines)
    throw unacceptable(`it has ${sections.length} media lines, the most that is taken is ${maxMediaLines}`);
  const used = sections.findIndex((section) => problemOf(section) === undefined);
  const audio = sections[used];
  if (audio === undefined) {
    const problems = sections.map(problemOf).join('; ');
    throw unacceptable(problems === '' ? 'it has no media line' : problems);
  }
  const session = ['v=0', ...head.filter((line) => keptInSession.test(line)), 's=-'];
  const media = audio.filter((line) => !dropped.test(line) && (!line.startsWith('a=crypto:') || isSecure(line)));
  return {
    sdp: [...session.sort(byGrammar), ...media, ''].join('\r\n'),
    layout: sections.map((section, index) => (index === used ? undefined : refusalOf(section))),
  };
}

/** The lines before the first media line, then those of each medium. */
export function sectionsOf(lines: readonly string[]): string[][] {
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push([line]);
    else sections.at(-1)?.push(line);
  }
  return sections;
}

/** Why a medium cannot be used, for people; undefined if it can. */
function problemOf([line = '', ...attributes]: readonly string[]): string | undefined {
  const [type = '', port = '', protocol = ''] = line.slice('m='.length).split(' ');
  const named = `m=${type} ${protocol}`.slice(0, 60);
  if (type !== 'audio') return `${named} is not relayed`;
  if (port === '0') return `${named} is switched off`;
  const match = audioLine.exec(line);
  if (match === null || Number(match[1]) > 65_535) return `${named} is neither RTP nor SRTP with SDES keys (RFC 4568)`;
  if (protocol.startsWith('RTP/SAVP') && !attributes.some(isSecure)) return `${named} has no usable a=crypto`;
  return undefined;
}

function isSecure(line: string): boolean {
  return suite.test(line) && !weakened.test(line);
}

function refusalOf([line = '']: readonly string[]): string {
  return line.replace(/^(m=\S+) \S+/, '$1 0');
}

/** RFC 4566 §5: v, o, s, c, b, t, a. */
function byGrammar(one: string, other: string): number {
  return 'voscbta'.indexOf(one.charAt(0)) - 'voscbta'.indexOf(other.charAt(0));
}

function unacceptable(why: string): SidestreamError {
  return new SidestreamError('not-acceptable-here', `the session description is refused: ${why}`);
}
