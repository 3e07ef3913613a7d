// How a multipart body is put together (RFC 2046 §5.1.1), beyond what a lenient reader needs.
import { parseMediaType } from '../mime/media-type.js';
import type { Part } from '../mime/parse-multipart.js';
import type { Report } from './finding.js';
import { positionIn } from './source.js';
import type { WireField, WireMessage } from './wire-message.js';

/** Reports on boundary, delimiters and the header of each part. */
export function checkMultipart(message: WireMessage, field: WireField, parts: readonly Part[], report: Report): void {
  const boundary = parseMediaType(field.value).parameters.get('boundary') ?? '';
  checkBoundary(boundary, field, report);
  const { body, bytes, bodyOffset, bareLf } = message;
  const malformed = (offset: number, text: string, cure: string) =>
    report({
      name: 'multipart-malformed',
      clause: 'RFC 2046 §5.1.1',
      place: { ...positionIn(bytes, bodyOffset + offset), path: 'body' },
      text,
      cure,
    });
  if (body.lastIndexOf(`--${boundary.trimEnd()}--`) === -1) {
    malformed(body.length, 'the last delimiter is missing', 'end the body with --, the boundary and -- once more');
  }
  for (const { at, headers } of parts) {
    if (headers.size > 0) continue;
    if (/^\r?\n?content-[a-z-]+:/i.test(body.toString('latin1', at.header, at.header + 200))) {
      malformed(
        at.header,
        'an empty line stands between the boundary and the header of a part, which so has none',
        'put the empty line between the header of the part and its content',
      );
    }
  }
  const delimiter = body.indexOf(`--${boundary.trimEnd()}`);
  const lineEnd = body.indexOf(0x0a, delimiter);
  if (!bareLf && delimiter !== -1 && lineEnd > 0 && body[lineEnd - 1] !== 0x0d) {
    report({
      name: 'line-ends',
      clause: 'RFC 2046 §5.1.1',
      place: { ...positionIn(bytes, bodyOffset + delimiter), path: 'body' },
      text: 'lines of the multipart body end in LF alone',
      cure: 'end delimiters and the header fields of parts in CR LF',
    });
  }
}

function checkBoundary(boundary: string, field: WireField, report: Report): void {
  const isQuoted = /;\s*boundary\s*=\s*"/i.test(field.value);
  // RFC 2045 §5.1: what is no token has to be quoted.
  if (!isQuoted && /[^A-Za-z0-9!#$%&'*+\-.^_`{|}~]/.test(boundary)) {
    report({
      name: 'boundary-not-quoted',
      clause: 'RFC 2045 §5.1',
      place: field.place,
      text: 'the boundary has characters that need quotes, and is not quoted',
      cure: 'write boundary="…"',
    });
  }
  if (!/^[A-Za-z0-9'()+_,\-./:=? ]{0,69}[A-Za-z0-9'()+_,\-./:=?]$/.test(boundary)) {
    report({
      name: 'multipart-malformed',
      clause: 'RFC 2046 §5.1.1',
      place: field.place,
      text: 'the boundary is not 1 to 70 characters that a boundary may have, or ends in a space',
      cure: "use letters, digits and '()+_,-./:=? only",
    });
  }
}
