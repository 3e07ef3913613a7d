/** Checks of the SDP offer and of the metadata that goes with it, against profile dynamics365. */
import { dynamics365, type ParsedMetadata } from '@sidestream/siprec';
import type { Report } from './finding.js';
import type { OfferedStream, RecordingOffer } from './recording-offer.js';

const LABELS: readonly string[] = [dynamics365.labels.customer, dynamics365.labels.seller];
const PAYLOAD_TYPES = dynamics365.codecs.map(({ payloadType }) => payloadType).join(' ');
const PARAMETERS: readonly string[] = ['Role', 'CallerDisplayName', 'CalleeDisplayName'];

function checkStream(stream: OfferedStream, report: Report): void {
  const name = `stream ${stream.index + 1}`;
  if (stream.kind !== 'audio' || stream.protocol !== 'RTP/SAVP') {
    report('stream-protocol', `${name} is ${stream.kind} in ${stream.protocol}, not audio in RTP/SAVP`);
  }
  if (stream.label !== LABELS[stream.index]) {
    report(
      'stream-label',
      `${name} has label ${JSON.stringify(stream.label ?? '')}, not ${LABELS[stream.index] ?? 'any'}`,
    );
  }
  if (stream.direction !== 'sendonly' && stream.direction !== 'inactive') {
    report('stream-direction', `${name} is ${stream.direction}, neither sendonly nor inactive (RFC 7866 §7.1.1.1)`);
  }
  if (stream.payloadTypes.join(' ') !== PAYLOAD_TYPES) {
    report('stream-codecs', `${name} offers payload types ${stream.payloadTypes.join(' ')}, not ${PAYLOAD_TYPES}`);
  }
  if (stream.ptime !== dynamics365.ptimeMs) report('stream-ptime', `${name} has no ptime of ${dynamics365.ptimeMs} ms`);
  if (stream.rtcpMux) report('stream-rtcp-mux', `${name} has rtcp-mux`);
  const [crypto, ...more] = stream.crypto;
  if (crypto === undefined) report('stream-crypto', `${name} has no a=crypto`);
  else if (more.length > 0) report('stream-crypto', `${name} has ${stream.crypto.length} a=crypto lines, not one`);
  else if (crypto.problem !== undefined) report('stream-crypto', `${name}: ${crypto.problem}`);
}

/** Checks the media; `previous` is the last offer of the same session (RFC 3264 §8). */
export function checkOffer(offer: RecordingOffer, previous: RecordingOffer | undefined, report: Report): void {
  if (offer.streams.length !== LABELS.length) {
    report('stream-count', `there are ${offer.streams.length} m-lines, not ${LABELS.length}`);
  }
  for (const stream of offer.streams) checkStream(stream, report);
  const keys = offer.streams.flatMap(({ crypto }) =>
    crypto.flatMap(({ master }) => (master === undefined ? [] : [master.toString('hex')])),
  );
  if (new Set(keys).size < keys.length) report('stream-key-reused', 'two streams have the same key (RFC 4568 §6.1)');
  if (previous === undefined) return;
  if (
    offer.sessionId !== previous.sessionId ||
    offer.version < previous.version ||
    offer.version > previous.version + 1
  ) {
    report('sdp-version', 'the o= line has another session id, or its version does not go up by one (RFC 3264 §8)');
  }
  if (offer.streams.length < previous.streams.length)
    report('stream-count', 'an m-line of the last offer is missing (RFC 3264 §8)');
}

/** Checks a metadata document that goes with an offer: complete, its labels those of the m-lines, parameters present. */
export function checkMetadata(document: ParsedMetadata, offer: RecordingOffer | undefined, report: Report): void {
  if (document.datamode !== 'complete')
    report('metadata-datamode', 'a metadata snapshot with an offer should be complete (RFC 7866 §9.1)');
  const wanted = (offer?.streams ?? []).map(({ label }) => label ?? '').sort();
  const found = document.streams.map(({ label }) => label ?? '').sort();
  if (wanted.join('\n') !== found.join('\n')) {
    report(
      'metadata-labels',
      `the metadata's stream labels are ${JSON.stringify(found)}, those of the SDP ${JSON.stringify(wanted)}`,
    );
  }
  const sent = document.participantStreams.flatMap(({ send }) => send);
  if (document.streams.some(({ id }) => !sent.includes(id))) {
    report('metadata-labels', 'a stream of the metadata is sent by no participant (RFC 7865 §6.8)');
  }
  for (const { extensionParameters } of document.sessions) {
    const missing = PARAMETERS.filter((name) => !extensionParameters.has(name));
    if (missing.length > 0) report('metadata-parameters', `ExtensionParameters lack ${missing.join(', ')}`);
    const role = extensionParameters.get('Role');
    if (role !== undefined && role !== 'inbound' && role !== 'outbound') {
      report('metadata-parameters', `Role is ${JSON.stringify(role)}, neither inbound nor outbound`);
    }
  }
}
