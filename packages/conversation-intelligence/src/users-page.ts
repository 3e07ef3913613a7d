/** One page of the users list: the tolerant reader of an answer whose format is undocumented. Whatever comes, it throws nothing but ProviderError. */
import { foldCase } from './fold-case.js';
import type { HttpAnswer } from './http-client.js';
import { announcedUsers, nextPage } from './next-page.js';
import { type Clean, kindOf, oneLine, pageOf, telling } from './problem.js';
import { ProviderError } from './provider-error.js';
import { type ProviderUser, readUser } from './provider-user.js';

export interface UsersPage {
  readonly users: ProviderUser[];
  /** Where the next page is, always of the same origin; undefined on the last one. */
  readonly next?: URL;
  /** How many users the whole list is said to have; 0 = nothing says so. */
  readonly announced: number;
}

const listKeys = ['value', 'users', 'items', 'data', 'results'];

/**
 * Reads a page.
 *
 * @param answer UTF-8 JSON: an array, or an object with the array under one of the usual names; its Link header (RFC 8288) counts.
 * @param url where the page came from; relative links start there, and links to another origin are refused.
 * @param clean takes secrets out of what an error shows.
 * @throws ProviderError `bad-answer` when it is anything else, says that something went wrong, holds two lists, or has a next page
 *   that can't be found; an empty array is a good answer.
 */
export function readUsersPage(answer: HttpAnswer, url: URL, clean: Clean): UsersPage {
  const json = parse(answer, clean);
  const wrapper = Array.isArray(json) ? new Map<string, unknown>() : foldCase(json);
  refuseFailure(wrapper, clean);
  const list = Array.isArray(json) ? json : onlyList(json);
  if (list === undefined) throw new ProviderError('bad-answer', `The users answer holds no list but ${kindOf(json)}.`);
  const users = list.map((element: unknown, index) => {
    const user = readUser(element);
    if (user !== undefined) return user;
    throw new ProviderError('bad-answer', `Element ${index} of the users answer names no user: ${kindOf(element)}.`);
  });
  const next = nextPage(wrapper, url, answer.headers['link'] ?? '');
  return { users, announced: announcedUsers(wrapper), ...(next && { next }) };
}

/** Some APIs answer 200 with an error and an empty list, which would record nobody. */
function refuseFailure(wrapper: ReadonlyMap<string, unknown>, clean: Clean): void {
  const success = wrapper.get('success');
  if (success !== false && success !== 'false' && !['error', 'errors'].some((key) => isFilled(wrapper.get(key))))
    return;
  const said = oneLine(clean(telling(wrapper) ?? 'no success'));
  throw new ProviderError('bad-answer', `The users answer says that it failed: ${said}.`);
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}

/** The array under one of the usual names, in any case; of two nobody knows which one counts. */
function onlyList(json: unknown): readonly unknown[] | undefined {
  const lists = Object.entries(typeof json === 'object' && json !== null ? json : {}).filter(
    (field): field is [string, unknown[]] => listKeys.includes(field[0].toLowerCase()) && Array.isArray(field[1]),
  );
  if (lists.length > 1)
    throw new ProviderError(
      'bad-answer',
      `The users answer holds several lists: ${lists.map(([key]) => key).join(', ')}.`,
    );
  return lists[0]?.[1];
}

function parse(answer: HttpAnswer, clean: Clean): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
  } catch {
    const page = pageOf(answer, clean);
    throw new ProviderError('bad-answer', `The users answer is no JSON${page === undefined ? '' : ` but ${page}`}.`);
  }
}
