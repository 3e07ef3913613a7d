// One m-line of the offer (RFC 7866 §7.1.1, RFC 3264, RFC 4566 §5.14, RFC 4574).
import { isIP } from 'node:net';
import type { RecorderProfile } from '../recorder-profile.js';
import { quoted } from '../siprec-error.js';
import { checkCrypto } from './crypto-checks.js';
import type { LintFindingName, Place, Report, Severity } from './finding.js';
import { attribute, directionOf, type SdpDocument, type SdpMedia } from './sdp-document.js';

export interface StreamContext {
  readonly profile: RecorderProfile;
  /** The labels of the m-lines so far; this one's is added. */
  readonly labels: Set<string>;
}

export const secureProtocols = /^(UDP\/TLS\/)?RTP\/SAVPF?$/;

/** Reports on an m-line and its attributes. */
export function checkStream(
  sdp: SdpDocument,
  media: SdpMedia,
  { profile, labels }: StreamContext,
  report: Report,
): void {
  const at = media.line.place;
  const strictly = `profile ${profile.name}`;
  const finding = (
    name: LintFindingName,
    clause: string,
    text: string,
    cure: string,
    place: Place = at,
    severity: Severity = 'error',
  ) => report({ severity, name, clause, place, text: `stream ${media.number} ${text}`, cure });

  checkMediaLine(media, report);
  checkLabel(media, labels, profile, report);
  if (media.port === '0') return;
  if (profile.strict && (media.kind !== 'audio' || media.protocol !== 'RTP/SAVP')) {
    finding('stream-protocol', strictly, `is ${quoted(`${media.kind} ${media.protocol}`)}`, 'offer audio in RTP/SAVP');
  } else if (!secureProtocols.test(media.protocol)) {
    const cure = 'offer RTP/SAVP with a=crypto, which every recorder has to support';
    finding('stream-protocol', 'RFC 7866 §12.2', `goes in clear: ${quoted(media.protocol)}`, cure, at, 'warning');
  }
  const direction = directionOf(sdp, media);
  if (direction !== 'sendonly' && direction !== 'inactive') {
    const severity = profile.strict || direction === 'recvonly' ? 'error' : 'warning';
    const cure = 'write a=sendonly, or a=inactive while the recording is paused';
    finding('stream-direction', 'RFC 7866 §7.1.1', `is ${direction}`, cure, at, severity);
  }
  checkAddress(sdp, media, report);
  checkFormats(media, report);
  if (profile.strict) {
    const wanted = profile.codecs.map(({ payloadType }) => payloadType).join(' ');
    if (media.formats.join(' ') !== wanted) {
      finding(
        'stream-codecs',
        strictly,
        `offers ${quoted(media.formats.join(' '))}`,
        `offer ${wanted}: PCMU, PCMA, telephone-event`,
      );
    }
    const ptime = String(profile.ptimeMs);
    if (attribute(media.lines, 'ptime')[0]?.value !== ptime) {
      finding('stream-ptime', strictly, `has no packet time of ${ptime} ms`, `write a=ptime:${ptime}`);
    }
    const mux = attribute(media.lines, 'rtcp-mux')[0];
    if (mux !== undefined) finding('stream-rtcp-mux', strictly, 'has rtcp-mux', 'leave a=rtcp-mux out', mux.place);
  }
  checkCrypto(sdp, media, profile, report);
}

export function checkMediaLine({ line, port, formats, number }: SdpMedia, report: Report): void {
  const isPort = /^\d{1,5}(\/\d{1,3})?$/.test(port) && Number.parseInt(port, 10) <= 65_535;
  if (isPort && formats.length > 0 && !formats.includes('')) return;
  report({
    name: 'sdp-malformed',
    clause: 'RFC 4566 §5.14',
    place: line.place,
    text: `stream ${number}: m= is not a kind, a port up to 65535, a protocol and formats, one space between them`,
    cure: 'write m=audio <port> RTP/SAVP 0 8 101',
  });
}

function checkLabel(
  { number, line, lines }: SdpMedia,
  labels: Set<string>,
  profile: RecorderProfile,
  report: Report,
): void {
  const [label, ...more] = attribute(lines, 'label');
  const finding = (clause: string, text: string, cure: string) =>
    report({ name: 'stream-label', clause, place: label?.place ?? line.place, text: `stream ${number} ${text}`, cure });
  const wanted = profile.strict ? Object.values(profile.labels)[number - 1] : undefined;
  if (label === undefined) {
    finding('RFC 7866 §7.1.1', 'has no a=label', 'give each m-line a label and name it in the metadata');
    return;
  }
  if (more.length > 0) finding('RFC 4574 §5', 'has more than one a=label', 'keep one');
  if (!/^[!#-'*+\-.0-9A-Z^-~]+$/.test(label.value))
    finding('RFC 4574 §4', 'has a label that is no token', 'use letters and digits');
  if (labels.has(label.value))
    finding('RFC 7866 §7.1.1', `repeats the label ${quoted(label.value)}`, 'give each m-line a label of its own');
  labels.add(label.value);
  if (wanted !== undefined && label.value !== wanted) {
    const cure = `write a=label:${wanted}: the customer's voice is the first stream, the seller's the second`;
    finding(`profile ${profile.name}`, `has label ${quoted(label.value)}, not ${wanted}`, cure);
  }
}

export function checkAddress({ session }: SdpDocument, { number, line, lines }: SdpMedia, report: Report): void {
  const connection = [...lines, ...session].find(({ type }) => type === 'c');
  const [net, type, address = ''] = connection?.value.split(' ') ?? [];
  const finding = (severity: Severity, clause: string, text: string, cure: string) =>
    report({
      severity,
      name: 'stream-address',
      clause,
      place: connection?.place ?? line.place,
      text: `stream ${number} ${text}`,
      cure,
    });
  if (connection === undefined) {
    finding('error', 'RFC 4566 §5.7', 'has no c=, nor has the session', 'add c=IN IP4 <address>');
  } else if (net !== 'IN' || (type !== 'IP4' && type !== 'IP6')) {
    finding('error', 'RFC 4566 §5.7', 'has a c= that is not IN IP4 or IN IP6', 'write c=IN IP4 <address>');
  } else if (address === '0.0.0.0' || address === '::') {
    finding('warning', 'RFC 3264 §8.4', 'is held by an address of zeros', 'write a=inactive and keep the address');
  } else if (
    isIP(address) !== (type === 'IP4' ? 4 : 6) &&
    (isIP(address) !== 0 || !/^[A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*$/.test(address))
  ) {
    finding(
      'error',
      'RFC 4566 §5.7',
      `has ${quoted(address)}, which is no ${type} address`,
      'write the address that is sent from',
    );
  }
}

/** RFC 3551 §6, RFC 4566 §6: a number from 96 on means nothing without a=rtpmap. */
export function checkFormats({ number, kind, protocol, formats, line, lines }: SdpMedia, report: Report): void {
  if (!/RTP\//.test(protocol) || (kind !== 'audio' && kind !== 'video')) return;
  const mapped = new Set(attribute(lines, 'rtpmap').map(({ value }) => value.split(' ')[0]));
  const unknown = formats.filter(
    (format) => !/^\d{1,3}$/.test(format) || (Number(format) >= 96 && !mapped.has(format)),
  );
  if (unknown.length === 0) return;
  report({
    name: 'stream-codecs',
    clause: 'RFC 4566 §6',
    place: line.place,
    text: `stream ${number} names ${quoted(unknown.join(' '))} without a=rtpmap`,
    cure: 'add a=rtpmap for every dynamic payload type',
  });
}
