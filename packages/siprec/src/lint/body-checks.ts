// The body of a message and its parts (RFC 7866 §9.1, RFC 2046 §5.1, RFC 5621): which there are, how they are wrapped and named.
import { isUtf8 } from 'node:buffer';
import { parseMediaType } from '../mime/media-type.js';
import { bodyParts, type Part } from '../mime/parse-multipart.js';
import type { RecorderProfile } from '../recorder-profile.js';
import { quoted, SiprecError } from '../siprec-error.js';
import type { Place, Report } from './finding.js';
import type { MessageKind } from './lint-options.js';
import { checkMultipart } from './multipart-checks.js';
import { positionIn, Source } from './source.js';
import type { WireMessage } from './wire-message.js';

/** The parts that a message of a recording session may have, as texts with their places. */
export interface RequestBody {
  readonly sdp: Source | undefined;
  readonly metadata: Source | undefined;
}

const sdpType = 'application/sdp';
const metadataTypes = ['application/rs-metadata+xml', 'application/rs-metadata'];

/** Reports on the body and finds SDP and metadata in it. */
export function checkBody(
  message: WireMessage,
  { kind, profile }: { kind: MessageKind; profile: RecorderProfile },
  report: Report,
): RequestBody {
  const parts = readParts(message, report);
  const sdp = only(parts, [sdpType], 'the SDP', message, report);
  const metadata = only(parts, metadataTypes, 'metadata', message, report);
  const contentType = message.field('Content-Type')?.value ?? 'none';
  const { mediaType } = parseMediaType(contentType);
  const invite = kind === 'INVITE' || kind === 're-INVITE';
  if ((invite && profile.strict) || (sdp !== undefined && metadata !== undefined)) {
    if (mediaType !== 'multipart/mixed') {
      report({
        name: 'body-type',
        clause: 'RFC 7866 §9.1',
        place: message.placeOf('Content-Type'),
        text: `the Content-Type is ${quoted(contentType)}, not multipart/mixed`,
        cure: 'send the offer and the metadata as two parts of one multipart/mixed body',
      });
    }
  }
  if (sdp === undefined && invite) {
    report({
      name: 'sdp-missing',
      clause: 'RFC 7866 §7.1.1',
      place: message.placeOf('Content-Type'),
      text: 'no part of the body is an SDP offer',
      cure: 'offer the recorded streams as application/sdp',
    });
  }
  if (sdp === undefined && kind === 'answer') {
    report({
      name: 'sdp-missing',
      clause: 'RFC 3261 §13.2.1',
      place: message.placeOf('Content-Type'),
      text: 'no part of the body is an SDP answer',
      cure: 'answer the offered streams as application/sdp',
    });
  }
  if (metadata === undefined && kind !== 'answer' && (profile.strict ? kind !== 'UPDATE' : kind === 'INVITE')) {
    report({
      severity: profile.strict ? 'error' : 'warning',
      name: 'metadata-missing',
      clause: profile.strict ? `profile ${profile.name}` : 'RFC 7866 §9.1',
      place: message.placeOf('Content-Type'),
      text: 'no part of the body is recording metadata',
      cure:
        kind === 'BYE'
          ? 'send partial metadata with the stop time (RFC 8068 §3.2.4)'
          : 'send a full snapshot as application/rs-metadata+xml',
    });
  }
  if (metadata !== undefined) checkMetadataPart(metadata, message, report);
  for (const part of parts) checkPart(part, message, report);
  return { sdp: sdp && sourceOf(sdp, message), metadata: metadata && sourceOf(metadata, message) };
}

function readParts(message: WireMessage, report: Report): Part[] {
  const field = message.field('Content-Type');
  const { body } = message;
  if (body.length === 0) return [];
  if (field === undefined) {
    report({
      name: 'body-type',
      clause: 'RFC 3261 §20.15',
      place: message.placeOf('Content-Type'),
      text: 'there is a body and no Content-Type',
      cure: 'write Content-Type: multipart/mixed;boundary="…"',
    });
    return [];
  }
  try {
    const parts = bodyParts(field.value, body);
    if (parseMediaType(field.value).mediaType.startsWith('multipart/')) {
      checkMultipart(message, field, parts, report);
      return parts;
    }
    // A body without a container has its disposition in the header of the message.
    const disposition = message.field('Content-Disposition')?.value.split(';')[0]?.trim().toLowerCase();
    return parts.map((part) => (disposition === undefined ? part : { ...part, disposition }));
  } catch (error) {
    if (!(error instanceof SiprecError)) throw error;
    report({
      name: 'multipart-malformed',
      clause: 'RFC 2046 §5.1.1',
      place: field.place,
      text: error.message,
      cure: 'name the boundary in Content-Type, put -- and it on a line before each part, and once more with -- at its end',
    });
    return [];
  }
}

function only(parts: readonly Part[], types: readonly string[], what: string, message: WireMessage, report: Report) {
  const [first, second] = parts.filter(({ mediaType }) => types.includes(mediaType));
  if (second !== undefined) {
    report({
      name: 'part-repeated',
      clause: 'RFC 7866 §9.1',
      place: placeOf(second, message),
      text: `a second part is ${what}`,
      cure: 'send one part of each kind',
    });
  }
  return first;
}

function checkMetadataPart(part: Part, message: WireMessage, report: Report): void {
  if (part.mediaType !== 'application/rs-metadata+xml') {
    report({
      severity: 'warning',
      name: 'metadata-type',
      clause: 'RFC 9806 §2',
      place: placeOf(part, message),
      text: `the type of the metadata is ${part.mediaType}`,
      cure: 'write application/rs-metadata+xml, which is what RFC 7866 means',
    });
  }
  if (part.disposition !== 'recording-session') {
    report({
      name: 'metadata-disposition',
      clause: 'RFC 7866 §9.1',
      place: placeOf(part, message),
      text: 'the metadata has no Content-Disposition: recording-session',
      cure: 'add Content-Disposition: recording-session to its part',
    });
  }
  if (!isUtf8(part.body)) {
    report({
      name: 'metadata-malformed',
      clause: 'RFC 7865 §5.1',
      place: placeOf(part, message),
      text: 'the metadata is not UTF-8',
      cure: 'encode the document in UTF-8 and count Content-Length in bytes',
    });
  }
}

function checkPart(part: Part, message: WireMessage, report: Report): void {
  const place = placeOf(part, message);
  const encoding = part.headers.get('content-transfer-encoding')?.toLowerCase();
  if (encoding !== undefined && !['7bit', '8bit', 'binary'].includes(encoding)) {
    report({
      name: 'part-encoding',
      clause: 'RFC 3261 §27.5',
      place,
      text: `a part is in ${quoted(encoding)}, which SIP does not use`,
      cure: 'send the part as it is, in binary',
    });
  }
  const length = part.headers.get('content-length');
  if (length !== undefined && Number(length) !== part.body.length) {
    report({
      severity: 'warning',
      name: 'part-length',
      clause: 'RFC 2046 §5.1',
      place,
      text: `the Content-Length of a part is ${quoted(length)}, and it has ${part.body.length} bytes`,
      cure: 'leave Content-Length out of parts: the boundary ends them',
    });
  }
  const known = part.mediaType === sdpType || metadataTypes.includes(part.mediaType);
  if (known || /;\s*handling\s*=\s*"?optional/i.test(part.headers.get('content-disposition') ?? '')) return;
  report({
    severity: 'warning',
    name: 'part-handling',
    clause: 'RFC 5621 §8.1',
    place,
    text: `the part ${quoted(part.mediaType)} is required by default, and a recorder that does not know it answers 415`,
    cure: 'leave it out, or add ;handling=optional to its Content-Disposition',
  });
}

function placeOf(part: Part, message: WireMessage): Place {
  const path = part.headers.size === 0 ? 'body' : `part ${part.mediaType.slice(0, 60)}`;
  return { ...positionIn(message.bytes, message.bodyOffset + part.at.header), path };
}

function sourceOf(part: Part, message: WireMessage): Source {
  return new Source(part.body.toString('utf8'), positionIn(message.bytes, message.bodyOffset + part.at.body));
}
