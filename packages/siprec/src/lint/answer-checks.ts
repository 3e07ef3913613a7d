// What a recorder says to an INVITE (RFC 7866 §6.2, §7.2): its Contact, and its answer to the offer. The last word has the same gate
// that our own client puts before its media.
import { parseNameAddr, splitList } from '@sidestream/sip';
import type { RecorderProfile } from '../recorder-profile.js';
import { validateAnswer } from '../sdp/answer-validation.js';
import { cryptoSuite } from '../sdp/crypto-attribute.js';
import { quoted, SiprecError } from '../siprec-error.js';
import { checkCrypto, checkKeys } from './crypto-checks.js';
import type { FindingList, LintFindingName, Place, Report, Severity } from './finding.js';
import { readable } from './header-checks.js';
import { checkLines } from './sdp-checks.js';
import { attribute, directionOf, readSdp, type SdpDocument, type SdpMedia } from './sdp-document.js';
import { Source } from './source.js';
import { checkAddress, checkFormats, checkMediaLine, secureProtocols } from './stream-checks.js';
import type { WireMessage } from './wire-message.js';

/** Reports on the Contact of a 2xx. */
export function checkRecorderContact(message: WireMessage, report: Report): void {
  const contacts = message
    .all('Contact')
    .flatMap(
      (each) => readable(each, (value) => splitList(value).map((one) => parseNameAddr(one, 'Contact')), report) ?? [],
    );
  if (contacts.some(({ parameters }) => parameters.has('+sip.srs'))) return;
  report({
    name: 'contact-sip-srs',
    clause: 'RFC 7866 §6.2',
    place: message.placeOf('Contact'),
    text: contacts.length === 0 ? 'there is no Contact, and so no +sip.srs' : 'no Contact has the feature tag +sip.srs',
    cure: 'write Contact: <sip:…>;+sip.srs, the feature tag behind the brackets (RFC 3840 §9)',
  });
}

export interface AnswerContext {
  readonly profile: RecorderProfile;
  /** The offer that is answered, where it is known. */
  readonly offer: string | undefined;
}

/** Reports on the SDP of a 2xx. */
export function checkAnswer(
  message: WireMessage,
  source: Source,
  { profile, offer }: AnswerContext,
  findings: FindingList,
): void {
  const { report } = findings;
  const sdp = readSdp(source);
  checkLines(sdp, message.bareLf, report);
  for (const media of sdp.media) checkAnsweredStream(sdp, media, profile, report);
  checkKeys(sdp, report);
  const offered = offer === undefined ? undefined : readSdp(new Source(offer));
  const expected = profile.strict ? Object.keys(profile.labels).length : Math.max(1, sdp.media.length);
  const wanted = offered?.media.length ?? expected;
  if (sdp.media.length !== wanted) {
    report({
      name: 'stream-count',
      clause: 'RFC 3264 §6',
      place: source.at(0, 'SDP'),
      text: `there are ${sdp.media.length} m-lines to ${wanted} of the offer`,
      cure: 'answer each m-line of the offer in its order; port 0 refuses one',
    });
  }
  if (offer !== undefined && offered?.media.every(isAsOurs) && !findings.hasErrors) {
    checkAsClient(message, source, offer, report);
  }
}

function checkAnsweredStream(sdp: SdpDocument, media: SdpMedia, profile: RecorderProfile, report: Report): void {
  const finding = (
    name: LintFindingName,
    clause: string,
    text: string,
    cure: string,
    severity: Severity = 'error',
    place: Place = media.line.place,
  ) => report({ severity, name, clause, place, text: `stream ${media.number} ${text}`, cure });
  checkMediaLine(media, report);
  if (media.port === '0') return;
  if (!secureProtocols.test(media.protocol)) {
    const cure = 'answer in the protocol of the offer, RTP/SAVP with a=crypto';
    const severity = profile.strict ? 'error' : 'warning';
    finding('stream-protocol', 'RFC 7866 §12.2', `comes in clear: ${quoted(media.protocol)}`, cure, severity);
  }
  const direction = directionOf(sdp, media);
  if (direction !== 'recvonly' && direction !== 'inactive') {
    const cure = 'write a=recvonly, or a=inactive while nothing can be recorded';
    // Nobody can send to who only sends; recorders that say nothing mean to receive.
    const severity = direction === 'sendonly' ? 'error' : 'warning';
    finding('stream-direction', 'RFC 7866 §7.2, RFC 3264 §6.1', `is ${direction}`, cure, severity);
  }
  checkAddress(sdp, media, report);
  checkFormats(media, report);
  const cryptos = attribute(media.lines, 'crypto');
  if (cryptos.length > 1) {
    const text = `has ${cryptos.length} a=crypto lines`;
    finding('stream-crypto', 'RFC 4568 §5.1.2', text, 'answer the one that is taken', 'error', cryptos[1]?.place);
  } else checkCrypto(sdp, media, profile, report);
}

/** An m-line as our own client offers it: other profiles and suites have other answers. */
function isAsOurs({ protocol, lines }: SdpMedia): boolean {
  const cryptos = attribute(lines, 'crypto');
  return (
    protocol === 'RTP/SAVP' && cryptos.length > 0 && cryptos.every(({ value }) => value.includes(` ${cryptoSuite} `))
  );
}

/** Whatever our own client refuses is wrong, whether a rule above names it or not. */
function checkAsClient(message: WireMessage, source: Source, offer: string, report: Report): void {
  try {
    validateAnswer(offer, message.field('Content-Type')?.value ?? '', message.body);
  } catch (error) {
    if (!(error instanceof SiprecError)) throw error;
    const { clause = 'RFC 3264 §6' } = error;
    report({
      name: 'answer-refused',
      clause,
      place: source.at(0, 'SDP'),
      text: error.message.replace(` (${clause})`, ''),
      cure: 'answer what was offered: kind, protocol, one codec at least, the crypto tag and suite, under a key of its own',
    });
  }
}
