/** Where the next page of a list is. Nobody documents it, so that every common way of saying it is either followed or refused. */
import { foldCase } from './fold-case.js';
import { kindOf, oneLine } from './problem.js';
import { ProviderError } from './provider-error.js';

const nextKeys = ['@odata.nextlink', 'nextlink', 'next'];
/** Objects of the wrapper in which some APIs have their links and counts. */
const nestedKeys = ['links', '_links', 'paging', 'pagination', 'meta'];
const countKeys = ['@odata.count', 'count', 'total', 'totalcount', 'total_count'];
const hint = /next|continuation|skiptoken|hasmore|has_more/;

type Fields = ReadonlyMap<string, unknown>;

/**
 * @param wrapper the fields of the page; empty when it is a bare array
 * @param url where the page came from
 * @param link its Link header (RFC 8288)
 * @returns the next page, of the same origin; undefined on the last one
 * @throws ProviderError `bad-answer` when there is more and it can't be told where, or leads to another origin
 */
export function nextPage(wrapper: Fields, url: URL, link: string): URL | undefined {
  const places = placesOf(wrapper);
  const linked = places.flatMap((fields) => nextKeys.map((key) => fields.get(key))).find(isPresent);
  const reference = linked ?? linkToNext(link);
  if (isPresent(reference)) return sameOrigin(reference, url);
  const token = wrapper.get('continuationtoken');
  if (isPresent(token)) {
    if (typeof token !== 'string' && typeof token !== 'number') throw unreadable('continuationToken', token);
    const next = new URL(url);
    next.searchParams.set('continuationToken', String(token));
    return next;
  }
  for (const fields of places) {
    const more = [...fields].find(([key, value]) => hint.test(key) && isTrue(value))?.[0];
    if (more !== undefined)
      throw new ProviderError('bad-answer', `The users answer has ${oneLine(more)}, which is not known how to follow.`);
  }
  return undefined;
}

/** How many users the list is said to have, if anything says so. */
export function announcedUsers(wrapper: Fields): number {
  const counts = placesOf(wrapper).flatMap((fields) => countKeys.map((key) => fields.get(key)));
  return Math.max(0, ...counts.map((count) => (isCount(count) ? Number(count) : 0)));
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^\d{1,15}$/.test(value));
}

function placesOf(wrapper: Fields): Fields[] {
  return [wrapper, ...nestedKeys.map((key) => linksOf(wrapper.get(key)))];
}

/** `{next: …}`, HAL's `{next: {href: …}}`, or `[{rel: 'next', href: …}]`. */
function linksOf(value: unknown): Fields {
  if (!Array.isArray(value)) return new Map([...foldCase(value)].map(([key, one]) => [key, hrefOf(one)]));
  const links = value.map(foldCase);
  return new Map(links.map((link) => [lowerCase(link.get('rel')), link.get('href')]));
}

function lowerCase(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function hrefOf(value: unknown): unknown {
  return foldCase(value).get('href') ?? value;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false;
}

function isTrue(value: unknown): boolean {
  return typeof value === 'string' ? !/^(?:false|no|0|)$/i.test(value) : Boolean(value);
}

/** A link elsewhere gets no request at all: it would carry the bearer to whoever wrote the link. */
function sameOrigin(reference: unknown, url: URL): URL {
  if (typeof reference !== 'string') throw unreadable('link', reference);
  if (!URL.canParse(reference, url.href)) throw unreadable('link', reference);
  const next = new URL(reference, url);
  if (next.origin !== url.origin || next.username !== '' || next.password !== '')
    throw new ProviderError(
      'bad-answer',
      `The link to the next page leads away from ${url.origin} to ${oneLine(next.origin)}; it was not followed.`,
    );
  next.hash = '';
  return next;
}

function unreadable(what: string, value: unknown): ProviderError {
  return new ProviderError('bad-answer', `The ${what} to the next page is not readable: ${kindOf(value)}.`);
}

function linkToNext(link: string): string | undefined {
  return /<([^<>]*)>(?=[^<]*;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b))/i.exec(link)?.[1];
}
