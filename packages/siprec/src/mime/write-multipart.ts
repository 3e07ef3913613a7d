// Multipart bodies (RFC 2046 §5.1) of a recording session. MIME-Version is a field of the SIP message, so it is not here.
import { randomUUID } from 'node:crypto';

export interface PartToWrite {
  readonly contentType: string;
  /** Value of Content-Disposition, when the part has one. */
  readonly disposition?: string;
  readonly body: Buffer | string;
}

export interface MultipartBody {
  /** The Content-Type of the message, with the boundary quoted. */
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * A `multipart/mixed` body with CRLF line ends, strings in UTF-8, and a random boundary that occurs in none of the parts.
 * `newBoundary` proposes boundaries; it is for tests.
 */
export function writeMultipart(
  parts: readonly PartToWrite[],
  newBoundary: () => string = randomBoundary,
): MultipartBody {
  const bodies = parts.map(({ body }) => (typeof body === 'string' ? Buffer.from(body, 'utf8') : body));
  let boundary = newBoundary();
  while (bodies.some((body) => body.includes(boundary))) boundary = newBoundary();
  const pieces = parts.flatMap(({ contentType, disposition }, index) => {
    const header = [`--${boundary}`, `Content-Type: ${contentType}`];
    if (disposition !== undefined) header.push(`Content-Disposition: ${disposition}`);
    return [Buffer.from(`${header.join('\r\n')}\r\n\r\n`), bodies[index] ?? Buffer.alloc(0), Buffer.from('\r\n')];
  });
  return {
    contentType: `multipart/mixed;boundary="${boundary}"`,
    body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

function randomBoundary(): string {
  return `sidestream-${randomUUID()}`;
}
