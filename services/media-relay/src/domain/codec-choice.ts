// Which codecs of a party's offer the other one is offered. A party's codecs are a matter of configuration (its trunk): what it has not is
// neither taken from it nor offered to it. Transcoding is the last resort, where the two would have no voice in common. Pure.
import { SidestreamError } from '@sidestream/service';

/** RFC 3551 §6: what needs no a=rtpmap. */
const staticNames: Readonly<Record<string, string>> = {
  0: 'PCMU',
  3: 'GSM',
  4: 'G723',
  8: 'PCMA',
  9: 'G722',
  13: 'CN',
  18: 'G729',
};
/** They go beside a voice and are none. */
const besideVoice = ['telephone-event', 'cn', 'red'];
/** What the engine encodes and decodes. */
const transcodable = ['PCMU', 'PCMA', 'G722', 'opus', 'G729', 'GSM', 'G723'];

/**
 * @param sdp one audio stream
 * @param codecs names in the order of preference; empty: all are kept as they are
 * @returns the description with these alone, in this order; undefined if no voice is left.
 */
export function withCodecs(sdp: string, codecs: readonly string[]): string | undefined {
  if (codecs.length === 0) return sdp;
  const lines = sdp.split('\r\n');
  const rank = (type: string) => rankIn(codecs, nameOf(type, lines));
  const media = lines.find((line) => line.startsWith('m=')) ?? '';
  const [kind = '', port = '', protocol = '', ...types] = media.split(' ');
  const kept = types.filter((type) => rank(type) >= 0).sort((one, other) => rank(one) - rank(other));
  if (!kept.some((type) => isVoice(nameOf(type, lines)))) return undefined;
  const described = (line: string) => /^a=(?:rtpmap|fmtp):(\d+) /.exec(line)?.[1];
  return lines
    .filter((line) => {
      const type = described(line);
      return type === undefined || kept.includes(type);
    })
    .map((line) => (line === media ? [kind, port, protocol, ...kept].join(' ') : line))
    .join('\r\n');
}

/**
 * @param from what the offerer may use; @param to what the other party may be offered
 * @returns the offer for the engine, and what the engine has to add for the other party because nothing else is left.
 * @throws SidestreamError not-acceptable-here
 */
export function codecsForOffer(
  sdp: string,
  from: readonly string[],
  to: readonly string[],
): { readonly sdp: string; readonly transcode: readonly string[] } {
  const taken = withCodecs(sdp, from);
  if (taken === undefined) throw none(`none of the codecs that are taken here (${from.join(', ')}) is offered`);
  const offered = withCodecs(taken, to);
  if (offered !== undefined) return { sdp: offered, transcode: [] };
  const possible = to.filter((codec) => rankIn(transcodable, codec) >= 0);
  const source = withCodecs(taken, [...transcodable, 'telephone-event']);
  if (possible.length === 0 || source === undefined)
    throw none(`no codec in common with the other side (${to.join(', ')}), and none to translate`);
  return { sdp: source, transcode: [...possible, ...to.filter((codec) => codec === 'telephone-event')] };
}

/** The names of a description's codecs, in its order. */
export function codecsIn(sdp: string): string[] {
  const lines = sdp.split('\r\n');
  const [, , , ...types] = lines.find((line) => line.startsWith('m='))?.split(' ') ?? [];
  return types.map((type) => nameOf(type, lines)).filter((name) => name !== '');
}

/** What a party's answer may use. @throws SidestreamError not-acceptable-here */
export function codecsForAnswer(sdp: string, from: readonly string[]): string {
  const taken = withCodecs(sdp, from);
  if (taken === undefined) throw none(`none of the codecs that are taken here (${from.join(', ')}) is answered`);
  return taken;
}

function nameOf(type: string, lines: readonly string[]): string {
  const prefix = `a=rtpmap:${type} `;
  const mapped = lines.find((line) => line.startsWith(prefix));
  return mapped?.slice(prefix.length).split('/')[0] ?? staticNames[type] ?? '';
}

function rankIn(codecs: readonly string[], name: string): number {
  return codecs.findIndex((codec) => codec.toLowerCase() === name.toLowerCase());
}

function isVoice(name: string): boolean {
  return name !== '' && !besideVoice.includes(name.toLowerCase());
}

function none(why: string): SidestreamError {
  return new SidestreamError('not-acceptable-here', `codecs: ${why}`);
}
