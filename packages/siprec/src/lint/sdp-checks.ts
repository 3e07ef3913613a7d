// The offer as a whole: its lines (RFC 4566 §5), and how it follows from the one before (RFC 3264 §8).
import type { RecorderProfile } from '../recorder-profile.js';
import { checkKeys } from './crypto-checks.js';
import type { Report } from './finding.js';
import { readSdp, type SdpDocument, type SdpLine } from './sdp-document.js';
import { Source } from './source.js';
import { checkStream } from './stream-checks.js';

export interface OfferContext {
  readonly profile: RecorderProfile;
  readonly previousOffer: string | undefined;
  /** The message was reported for its line ends already. */
  readonly bareLf: boolean;
}

/** Reports on an offer; gives the labels of its m-lines. */
export function checkOffer(source: Source, { profile, previousOffer, bareLf }: OfferContext, report: Report): string[] {
  const sdp = readSdp(source);
  checkLines(sdp, bareLf, report);
  const labels = new Set<string>();
  for (const media of sdp.media) checkStream(sdp, media, { profile, labels }, report);
  checkKeys(sdp, report);
  const parties = Object.keys(profile.labels).length;
  if (profile.strict ? sdp.media.length !== parties : sdp.media.length === 0) {
    report({
      name: 'stream-count',
      clause: profile.strict ? `profile ${profile.name}` : 'RFC 7866 §7.1.1',
      place: source.at(0, 'SDP'),
      text: `there are ${sdp.media.length} m-lines${profile.strict ? `, not ${parties}` : ''}`,
      cure: 'offer one stream for each voice',
    });
  }
  if (previousOffer !== undefined) checkSuccession(source, sdp, readSdp(new Source(previousOffer)), report);
  return [...labels];
}

/** The lines of any description. */
export function checkLines({ lines, session, media }: SdpDocument, bareLf: boolean, report: Report): void {
  const malformed = (line: SdpLine | undefined, text: string, cure: string) =>
    report({
      name: 'sdp-malformed',
      clause: 'RFC 4566 §5',
      place: line?.place ?? { path: 'SDP' },
      text,
      cure,
    });
  const bare = lines.find((line) => line.bareLf);
  if (bare !== undefined && !bareLf) {
    report({
      severity: 'warning',
      name: 'line-ends',
      clause: 'RFC 4566 §5',
      place: bare.place,
      text: 'lines of the SDP end in LF alone',
      cure: 'end every line in CR LF',
    });
  }
  // Empty lines at the end are those of the container.
  const content = lines.slice(0, lines.findLastIndex(({ type, value }) => type !== '' || value !== '') + 1);
  if (lines[0]?.type !== 'v' || lines[0].value !== '0')
    malformed(lines[0], 'the first line is not v=0', 'begin with v=0');
  for (const line of content.filter(({ type }) => type === '')) {
    malformed(line, 'this line is not a letter, = and a value', 'leave out empty lines and spaces around =');
  }
  for (const type of ['o', 's', 't']) {
    if (!session.some((line) => line.type === type)) malformed(lines[0], `there is no ${type}=`, `add ${type}=`);
  }
  const origin = session.find(({ type }) => type === 'o');
  if (origin !== undefined && !/^\S+ \d+ \d+ IN IP[46] \S+$/.test(origin.value)) {
    malformed(
      origin,
      'o= is not user, session id, version, IN, IP4 or IP6, address',
      'write o=- <number> <number> IN IP4 <address>',
    );
  }
  checkOrder(session, 'vosiuepcbtrzka', malformed);
  for (const { lines: own } of media) checkOrder(own, 'icbka', malformed);
}

type Malformed = (line: SdpLine, text: string, cure: string) => void;

function checkOrder(lines: readonly SdpLine[], order: string, malformed: Malformed): void {
  let reached = 0;
  for (const line of lines) {
    if (line.type === '') continue;
    const at = order.indexOf(line.type);
    // r= and z= belong to the t= before them, which may be repeated.
    if (at >= reached || (line.type === 't' && order[reached] === 'r')) {
      reached = at;
      continue;
    }
    malformed(
      line,
      `${line.type}= ${at === -1 ? 'is not known here' : 'stands too late'}`,
      `keep to the order ${[...order].join(' ')}`,
    );
    return;
  }
}

function checkSuccession(source: Source, now: SdpDocument, before: SdpDocument, report: Report): void {
  const origin = ({ session }: SdpDocument) => session.find(({ type }) => type === 'o');
  const [id, version] = numbers(origin(now));
  const [idBefore, versionBefore] = numbers(origin(before));
  const place = origin(now)?.place ?? source.at(0, 'SDP');
  if (id !== idBefore || version < versionBefore || version > versionBefore + 1n) {
    report({
      name: 'sdp-version',
      clause: 'RFC 3264 §8',
      place,
      text: 'o= has another session id than the last offer, or its version does not go up by one',
      cure: 'keep the session id and add one to the version with each change',
    });
  }
  if (now.media.length < before.media.length) {
    report({
      name: 'stream-count',
      clause: 'RFC 3264 §8',
      place: source.at(0, 'SDP'),
      text: `there are ${now.media.length} m-lines, and ${before.media.length} in the last offer`,
      cure: 'keep every m-line; port 0 removes a stream',
    });
  }
}

function numbers(origin: SdpLine | undefined): [id: string, version: bigint] {
  const [, id = '', version = ''] = origin?.value.split(' ') ?? [];
  return [id, /^\d{1,20}$/.test(version) ? BigInt(version) : 0n];
}
