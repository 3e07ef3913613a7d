/** Puts the pages of a users list together. A list that can't be had whole is an error and never a shortened list. */
import { maxAgeMs, type Validators, validatorsOf } from './answer-headers.js';
import type { HttpAnswer, HttpHeaders } from './http-client.js';
import type { Clean } from './problem.js';
import { ProviderError } from './provider-error.js';
import type { ProviderLimits } from './provider-options.js';
import type { ProviderUser } from './provider-user.js';
import { readUsersPage } from './users-page.js';

export interface UserList {
  /** As the API listed them, over all pages. */
  readonly users: readonly ProviderUser[];
  /** For the next call; empty when the API gave none, or for a list of several pages, which the first page's can't vouch for. */
  readonly validators: Validators;
  readonly pages: number;
  /** How long the API says that the list stays fresh. */
  readonly maxAgeMs?: number;
}

export class UserCollector {
  readonly #limits: ProviderLimits;
  readonly #users: ProviderUser[] = [];
  readonly #seen = new Set<string>();
  readonly #clean: Clean;
  #headers: HttpHeaders | undefined;
  #bytes = 0;
  #announced = 0;
  #next: URL | undefined;

  constructor(start: URL, limits: ProviderLimits, clean: Clean) {
    this.#clean = clean;
    this.#limits = limits;
    this.#next = start;
    this.#seen.add(start.href);
  }

  /** The page to read next; undefined when the list is whole. */
  get next(): URL | undefined {
    return this.#next;
  }

  /** How many pages were read. */
  get pages(): number {
    return this.#next === undefined ? this.#seen.size : this.#seen.size - 1;
  }

  /** Takes the answer for `next`. ProviderError `bad-answer` when it is none, the list repeats itself, exceeds a limit or ends too early. */
  add(answer: HttpAnswer): void {
    if (this.#next === undefined) return;
    const { maxListBytes, maxPages, maxUsers } = this.#limits;
    this.#bytes += answer.body.length;
    if (this.#bytes > maxListBytes) throw unusable(`has more than ${maxListBytes} bytes`);
    const { users, next, announced } = readUsersPage(answer, this.#next, this.#clean);
    if (this.#users.length + users.length > maxUsers) throw unusable(`has more than ${maxUsers} users`);
    for (const user of users) this.#users.push(user);
    this.#announced = Math.max(this.#announced, announced);
    if (next === undefined && this.#announced > this.#users.length)
      throw unusable(`is said to have ${this.#announced} users and holds ${this.#users.length}`);
    this.#headers ??= answer.headers;
    this.#next = next;
    if (next === undefined) return;
    if (this.#seen.has(next.href)) throw unusable('leads back to a page that was read before');
    if (this.#seen.size >= maxPages) throw unusable(`has more than ${maxPages} pages`);
    this.#seen.add(next.href);
  }

  list(): UserList {
    const fresh = this.#headers && maxAgeMs(this.#headers, this.#limits.maxRetryAfterMs);
    return {
      users: this.#users,
      validators: this.#headers && this.pages === 1 ? validatorsOf(this.#headers) : {},
      pages: this.pages,
      ...(fresh !== undefined && { maxAgeMs: fresh }),
    };
  }
}

function unusable(what: string): ProviderError {
  return new ProviderError('bad-answer', `The users list ${what}; none of it was taken.`);
}
