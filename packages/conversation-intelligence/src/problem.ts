/** What an answer says went wrong, as one short line: the API's error format is undocumented, so every common one is read. */
import type { HttpAnswer } from './http-client.js';

const maxShown = 400;

/**
 * RFC 7807 (`title`, `detail`, `errors`), `{error: {code, message}}`, OAuth's `{error, error_description}`, `{Message}`, plain
 * text; of HTML the title alone. Empty when the body says nothing. `clean` takes secrets out before anything is cut off.
 */
export function problemOf({ body, headers }: HttpAnswer, clean: (text: string) => string): string {
  const text = clean(body.subarray(0, 65_536).toString('utf8')).trim();
  const json = parsed(text);
  const said = json === undefined ? plain(text, headers['content-type'] ?? '') : ofJson(json);
  return oneLine(said);
}

/** One line of printable characters, bounded. */
export function oneLine(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  return line.length > maxShown ? `${line.slice(0, maxShown)}…` : line;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

function plain(text: string, contentType: string): string {
  if (!/html/i.test(contentType) && !/^<(?:!doctype|html)/i.test(text)) return text;
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1]?.trim();
  return title ? `an HTML page, "${title}"` : 'an HTML page';
}

function ofJson(json: unknown): string {
  if (typeof json !== 'object' || json === null) return String(json);
  const fields = new Map(Object.entries(json).map(([key, value]) => [key.toLowerCase(), value]));
  const inner: unknown = fields.get('error');
  if (typeof inner === 'object' && inner !== null) return ofJson(inner);
  const parts = ['error', 'code', 'title', 'message', 'detail', 'error_description', 'errors']
    .map((key) => fields.get(key))
    .filter((value) => value !== undefined && value !== null && value !== '')
    .map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));
  return parts.length > 0 ? parts.join(': ') : JSON.stringify(json);
}
