// The descriptions of a leg that has gone over to another media session: to its peer it is the same session, whose media lines stay
// where they are, be it refused (RFC 3264 §8). Text in, text out.

/** The origin of a description without its version: the session's name and who made it. */
export interface Origin {
  readonly before: string;
  readonly version: bigint;
  readonly after: string;
}

/** Undefined where there is none that can be read. */
export function originOf(sdp: string): Origin | undefined {
  const [, before, version, after] = /^(o=\S+ \S+ )(\d{1,30})( .*)$/m.exec(sdp) ?? [];
  if (before === undefined || version === undefined || after === undefined) return undefined;
  return { before, version: BigInt(version), after: after.trimEnd() };
}

export function withOrigin(sdp: string, { before, version, after }: Origin): string {
  return sdp.replace(/^o=.*?(?=\r?$)/m, () => `${before}${version}${after}`);
}

/** The description with as many media lines as the peer was given before, the audio in its place and the others refused. */
export function inLinesOf(before: string, sdp: string): string {
  const [head = '', ...now] = sectionsOf(sdp);
  const [, ...lines] = sectionsOf(before);
  const [audio] = now;
  if (audio === undefined || now.length >= lines.length) return sdp;
  const place = Math.max(
    0,
    lines.findIndex((line) => /^m=audio (?!0 )/.test(line)),
  );
  const refused = (line: string) => `${(line.split(/\r?\n/)[0] ?? '').replace(/^(m=\S+) \S+/, '$1 0')}\r\n`;
  return [head, ...lines.map((line, index) => (index === place ? audio : refused(line)))].join('');
}

/** What is before the first media line, and each media line with what belongs to it. */
function sectionsOf(sdp: string): string[] {
  return sdp.split(/^(?=m=)/m);
}
