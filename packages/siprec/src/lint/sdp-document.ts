// An SDP description line by line, with the place of each line. The rest of the package reads SDP by meaning
// (session-description); a lint has to say which line is wrong, and reads what no parser takes.
import type { Place } from './finding.js';
import type { Source } from './source.js';

export interface SdpLine {
  /** `m`, `a` …; empty for a line that is none. */
  readonly type: string;
  readonly value: string;
  readonly place: Place;
  readonly bareLf: boolean;
}

export interface SdpMedia {
  /** From 1. */
  readonly number: number;
  readonly line: SdpLine;
  readonly kind: string;
  readonly port: string;
  readonly protocol: string;
  readonly formats: readonly string[];
  /** The lines behind the m-line. */
  readonly lines: readonly SdpLine[];
}

export interface SdpDocument {
  readonly lines: readonly SdpLine[];
  readonly session: readonly SdpLine[];
  readonly media: readonly SdpMedia[];
}

const maxLines = 2_000;
const maxMedia = 32;

/** Reads at most 2,000 lines and 32 m-lines; anything is a description. */
export function readSdp(source: Source): SdpDocument {
  const lines: SdpLine[] = [];
  const { text } = source;
  let path = 'SDP';
  let count = 0;
  for (let at = 0; at < text.length && lines.length < maxLines; ) {
    const found = text.indexOf('\n', at);
    const end = found === -1 ? text.length : found;
    const hasCr = text[end - 1] === '\r' && end > at;
    const content = text.slice(at, hasCr ? end - 1 : end);
    const [, type = '', value = content] = /^([a-z])=(.*)$/s.exec(content) ?? [];
    if (type === 'm') {
      count += 1;
      path = `m-line ${count}`;
    }
    const attribute = type === 'a' ? /^[\w-]+/.exec(value)?.[0] : undefined;
    lines.push({
      type,
      value,
      place: source.at(
        at,
        attribute === undefined ? `${path}${type === 'm' ? '' : ` ${type}=`}` : `${path} a=${attribute}`,
      ),
      bareLf: found !== -1 && !hasCr,
    });
    at = found === -1 ? text.length : found + 1;
  }
  return { lines, ...sections(lines) };
}

function sections(lines: readonly SdpLine[]): Pick<SdpDocument, 'session' | 'media'> {
  const starts = lines.flatMap(({ type }, index) => (type === 'm' ? [index] : []));
  const media = starts.slice(0, maxMedia).flatMap((start, index): SdpMedia[] => {
    const line = lines[start];
    if (line === undefined) return [];
    const [kind = '', port = '', protocol = '', ...formats] = line.value.split(' ');
    return [
      { number: index + 1, line, kind, port, protocol, formats, lines: lines.slice(start + 1, starts[index + 1]) },
    ];
  });
  return { session: lines.slice(0, starts[0]), media };
}

/** The values of an attribute: `attribute(lines, 'label')` of `a=label:1` is `1`, of `a=sendonly` the empty text. */
export function attribute(lines: readonly SdpLine[], name: string): { value: string; place: Place }[] {
  return lines.flatMap(({ type, value, place }) => {
    if (type !== 'a') return [];
    if (value === name) return [{ value: '', place }];
    return value.startsWith(`${name}:`) ? [{ value: value.slice(name.length + 1), place }] : [];
  });
}

/** The direction that counts: the media's, else the session's; absent is sendrecv (RFC 4566 §6). */
export function directionOf({ session }: SdpDocument, { lines }: SdpMedia): string {
  const written = [...lines, ...session].find(
    ({ type, value }) => type === 'a' && /^(sendrecv|sendonly|recvonly|inactive)$/.test(value),
  );
  return written?.value ?? 'sendrecv';
}
