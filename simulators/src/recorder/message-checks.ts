/** Checks of a recording session's requests against profile dynamics365 (RFC 7866 and what the recorder's owner documents). */
import { parseUri, type SipRequest } from '@sidestream/sip';
import { bodyParts, dynamics365, type ParsedMetadata, type Part, parseMetadata } from '@sidestream/siprec';
import type { Report } from './finding.js';
import { checkMetadata, checkOffer } from './offer-checks.js';
import { type RecordingOffer, readOffer } from './recording-offer.js';

/** What a request contained, as far as it could be read. */
export interface RecordingContent {
  offer: RecordingOffer | undefined;
  metadata: { xml: string; document: ParsedMetadata | undefined } | undefined;
}

const METADATA_TYPES = [dynamics365.metadataType, 'application/rs-metadata'];

function checkHeaders(request: SipRequest, accountId: string | undefined, report: Report): void {
  const required = request.headers.values('Require').map((tag) => tag.trim().toLowerCase());
  if (!required.includes('siprec')) report('require-siprec', 'there is no Require: siprec (RFC 7866 §6.1.1)');
  const account = request.headers.get(dynamics365.accountHeader);
  if (account === undefined) report('account-id', `there is no ${dynamics365.accountHeader}`);
  else if (accountId !== undefined && account !== accountId) {
    report(
      'account-id',
      `${dynamics365.accountHeader} is ${JSON.stringify(account)}, expected ${JSON.stringify(accountId)}`,
    );
  }
}

function checkContact(request: SipRequest, report: Report): void {
  if (!request.contacts.some((contact) => contact.parameters.has('+sip.src'))) {
    report('contact-sip-src', 'no Contact has the header parameter +sip.src (RFC 7866 §6.1.1)');
  }
}

function checkInitial(request: SipRequest, report: Report): void {
  if (!/^[0-9a-f]{32}$/.test(request.callId)) report('call-id', 'the Call-ID is not 32 lower-case hexadecimal digits');
  try {
    const uri = parseUri(request.uri);
    if (uri.user !== 'SRS')
      report('request-uri', `the user of the request URI is ${JSON.stringify(uri.user ?? '')}, not SRS`);
    if (uri.scheme === 'sip' && uri.parameters.get('transport')?.toLowerCase() !== 'tls') {
      report('request-uri', 'the request URI has no transport=tls');
    }
  } catch {
    report('request-uri', 'the request URI is no SIP URI');
  }
}

function partsOf(request: SipRequest, report: Report): Part[] {
  const contentType = request.headers.get('Content-Type');
  if (request.body.length === 0 || contentType === undefined) return [];
  try {
    return bodyParts(contentType, request.body);
  } catch (error) {
    report('body-type', error instanceof Error ? error.message : String(error));
    return [];
  }
}

function readMetadata(parts: readonly Part[], report: Report): RecordingContent['metadata'] {
  const part = parts.find(({ mediaType }) => METADATA_TYPES.includes(mediaType));
  if (part === undefined) {
    report('metadata-missing', 'no part of the body is recording metadata');
    return undefined;
  }
  if (part.mediaType !== dynamics365.metadataType) {
    report('metadata-type', `the metadata's type is ${part.mediaType}; RFC 9806 makes it ${dynamics365.metadataType}`);
  }
  if (part.disposition !== 'recording-session') {
    report('metadata-disposition', 'the metadata has no Content-Disposition: recording-session (RFC 7866 §9)');
  }
  const xml = part.body.toString('utf8');
  try {
    return { xml, document: parseMetadata(xml) };
  } catch (error) {
    report('metadata-malformed', error instanceof Error ? error.message : String(error));
    return { xml, document: undefined };
  }
}

/** Reads and checks an INVITE or re-INVITE; `previous` is the session's last offer. */
export function checkInvite(
  request: SipRequest,
  context: { initial: boolean; accountId: string | undefined; previous: RecordingOffer | undefined },
  report: Report,
): RecordingContent {
  if (context.initial) checkInitial(request, report);
  checkHeaders(request, context.accountId, report);
  checkContact(request, report);
  const contentType = request.headers.get('Content-Type') ?? 'none';
  if (!/^multipart\/mixed\b/i.test(contentType))
    report('body-type', `the Content-Type is ${contentType}, not multipart/mixed`);
  else if (!/;\s*boundary="/i.test(contentType)) report('boundary-not-quoted', 'the multipart boundary is not quoted');
  const parts = partsOf(request, report);
  const sdp = parts.find(({ mediaType }) => mediaType === 'application/sdp');
  const offer = sdp === undefined ? undefined : readOffer(sdp.body.toString('utf8'));
  if (offer === undefined) report('sdp-missing', 'no part of the body is an SDP offer with media');
  else checkOffer(offer, context.previous, report);
  const metadata = readMetadata(parts, report);
  if (metadata?.document !== undefined) checkMetadata(metadata.document, offer, report);
  return { offer, metadata };
}

/** Reads and checks a BYE: it carries partial metadata with the stop time and without labels (RFC 8068 §3.2.4, RFC 7866 §9.1). */
export function checkBye(
  request: SipRequest,
  accountId: string | undefined,
  report: Report,
): RecordingContent['metadata'] {
  checkHeaders(request, accountId, report);
  const metadata = readMetadata(partsOf(request, report), report);
  const document = metadata?.document;
  if (document === undefined) return metadata;
  if (document.datamode !== 'partial') report('metadata-datamode', 'the metadata of a BYE is partial');
  if (document.streams.some(({ label }) => label !== undefined)) {
    report('metadata-labels', 'labels in a BYE refer to no offer (RFC 7866 §9.1)');
  }
  if (!document.sessions.some(({ stopTime }) => stopTime !== undefined))
    report('metadata-stop-time', 'no session has a stop-time');
  return metadata;
}
