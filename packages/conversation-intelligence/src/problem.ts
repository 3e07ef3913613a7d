/** What an answer says went wrong, as one short line: the API's error format is undocumented, so every common one is read. */
import { foldCase } from './fold-case.js';
import type { HttpAnswer } from './http-client.js';

const maxShown = 400;
/** The part of a body that is looked at, bytes. */
const maxRead = 65_536;
const tellingKeys = ['error', 'code', 'title', 'message', 'detail', 'error_description', 'errors'];

/** Takes secrets out of a text. */
export type Clean = (text: string) => string;

/**
 * RFC 7807 (`title`, `detail`, `errors`), `{error: {code, message}}`, OAuth's `{error, error_description}`, `{Message}`, plain
 * text; of HTML the title alone. Empty when the body says nothing. `clean` takes secrets out before anything is cut off.
 */
export function problemOf(answer: HttpAnswer, clean: Clean): string {
  const text = clean(answer.body.subarray(0, maxRead).toString('utf8')).trim();
  return pageOf(answer, clean) ?? oneLine(ofJson(text) ?? text);
}

/** What to say of an answer that is an HTML page; undefined when it is none. */
export function pageOf({ body, headers }: HttpAnswer, clean: Clean): string | undefined {
  const text = clean(body.subarray(0, maxRead).toString('utf8')).trim();
  if (!/html/i.test(headers['content-type'] ?? '') && !/^<(?:!doctype|html)/i.test(text)) return undefined;
  const title = oneLine(/<title[^>]{0,200}>([^<]*)/i.exec(text)?.[1] ?? '');
  return title === '' ? 'an HTML page' : `an HTML page, "${title}"`;
}

/** One line of printable characters, bounded. */
export function oneLine(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  return line.length > maxShown ? `${line.slice(0, maxShown)}…` : line;
}

/** What something is, without its values: they are personal data, or echoes of what we sent. */
export function kindOf(json: unknown): string {
  if (Array.isArray(json)) return 'an array';
  if (typeof json !== 'object' || json === null) return json === null ? 'null' : `a ${typeof json}`;
  return `an object with ${oneLine(Object.keys(json).slice(0, 20).join(', ')) || 'no keys'}`;
}

/** The telling fields of a JSON text; undefined when it is none or has none. */
function ofJson(text: string): string | undefined {
  try {
    return telling(foldCase(JSON.parse(text)));
  } catch {
    return undefined;
  }
}

/** The telling fields of an object; undefined when it has none, or is too deep to be shown. */
export function telling(outer: ReadonlyMap<string, unknown>): string | undefined {
  const inner: unknown = outer.get('error');
  const fields = typeof inner === 'object' && inner !== null ? foldCase(inner) : outer;
  try {
    const parts = tellingKeys
      .map((key) => fields.get(key))
      .filter((value) => value !== undefined && value !== null && value !== '')
      .map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));
    return parts.length > 0 ? parts.join(': ') : undefined;
  } catch {
    return undefined;
  }
}
