/** One page of the users list: the tolerant reader of an answer whose format is undocumented. Whatever comes, it throws nothing but ProviderError. */
import { foldCase } from './fold-case.js';
import type { HttpAnswer } from './http-client.js';
import { type Clean, oneLine, pageOf } from './problem.js';
import { ProviderError } from './provider-error.js';
import { type ProviderUser, readUser } from './provider-user.js';

export interface UsersPage {
  readonly users: ProviderUser[];
  /** Where the next page is, always of the same origin; undefined on the last one. */
  readonly next?: URL;
}

const listKeys = ['value', 'users', 'items', 'data', 'results'];
const nextKeys = ['@odata.nextlink', 'nextlink', 'next'];

/**
 * Reads a page.
 *
 * @param answer UTF-8 JSON: an array, or an object with the array under one of the usual names; its Link header (RFC 8288) counts.
 * @param url where the page came from; relative links start there, and links to another origin are refused.
 * @param clean takes secrets out of what an error shows.
 * @throws ProviderError `bad-answer` when it is anything else; an empty array is a good answer.
 */
export function readUsersPage(answer: HttpAnswer, url: URL, clean: Clean): UsersPage {
  const json = parse(answer, clean);
  const wrapper = typeof json === 'object' && json !== null && !Array.isArray(json) ? foldCase(json) : undefined;
  const list = Array.isArray(json) ? json : listKeys.map((key) => wrapper?.get(key)).find(Array.isArray);
  if (list === undefined) throw new ProviderError('bad-answer', `The users answer holds no list but ${kindOf(json)}.`);
  const users = list.map((element: unknown, index) => {
    const user = readUser(element);
    if (user !== undefined) return user;
    throw new ProviderError('bad-answer', `Element ${index} of the users answer names no user: ${kindOf(element)}.`);
  });
  const next = nextOf(wrapper ?? new Map(), url, answer.headers['link'] ?? '');
  return { users, ...(next && { next }) };
}

function parse(answer: HttpAnswer, clean: Clean): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
  } catch {
    const page = pageOf(answer, clean);
    throw new ProviderError('bad-answer', `The users answer is no JSON${page === undefined ? '' : ` but ${page}`}.`);
  }
}

/** What something is, without its values: they are personal data, or echoes of what we sent. */
function kindOf(json: unknown): string {
  if (Array.isArray(json)) return 'an array';
  if (typeof json !== 'object' || json === null) return json === null ? 'null' : `a ${typeof json}`;
  return `an object with ${oneLine(Object.keys(json).slice(0, 20).join(', ')) || 'no keys'}`;
}

function nextOf(wrapper: ReadonlyMap<string, unknown>, url: URL, link: string): URL | undefined {
  const reference = nextKeys.map((key) => wrapper.get(key)).find(isPresent) ?? linkToNext(link);
  if (isPresent(reference)) return sameOrigin(reference, url);
  const token = wrapper.get('continuationtoken');
  if (isPresent(token)) {
    if (typeof token !== 'string' && typeof token !== 'number') throw unreadable('continuationToken', token);
    const next = new URL(url);
    next.searchParams.set('continuationToken', String(token));
    return next;
  }
  if (wrapper.get('hasmore') === true)
    throw new ProviderError('bad-answer', 'The users answer says hasMore and not where the next page is.');
  return undefined;
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false;
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
