// Identities as JSON: a list of users, or an object that has them by object id or UPN.
import { z } from 'zod';
import type { IdentityRows } from './identity-row.js';
import { PolicyError } from './policy-error.js';

const texts = z.array(z.string().trim().min(1)).default([]);
const identity = z.strictObject({
  numbers: texts,
  addresses: texts,
  name: z.string().optional(),
  comment: z.string().optional(),
});
const listed = identity.extend({ user: z.string().trim().min(1) });

/**
 * The rows of a JSON text: `[{"user": …, "numbers": […], "addresses": […]}]` or `{"<user>": {"numbers": …}}`.
 * @throws PolicyError when it is no JSON, or neither of the two
 */
export function identitiesFromJson(text: string, rows: IdentityRows, source: string): void {
  const data = parsed(text, source);
  if (Array.isArray(data)) {
    for (const [index, entry] of data.entries()) add(listed.safeParse(entry), `[${index}]`, undefined, rows);
  } else if (typeof data === 'object' && data !== null) {
    for (const [user, entry] of Object.entries(data)) {
      add(identity.safeParse(entry), `[${JSON.stringify(user)}]`, user.trim(), rows);
    }
  } else throw new PolicyError(source, [{ path: '', message: 'is neither a list nor an object of users' }]);
}

type Entry = z.infer<typeof identity> & { readonly user?: string };

function add(entry: z.ZodSafeParseResult<Entry>, path: string, key: string | undefined, rows: IdentityRows): void {
  if (!entry.success) {
    for (const { path: at, message } of entry.error.issues) rows.problem([path, ...at].join('.'), message);
    return;
  }
  const { numbers, addresses, user = key ?? '' } = entry.data;
  if (user === '') rows.problem(path, 'names no user');
  else rows.row({ path, user, numbers, addresses });
}

function parsed(text: string, source: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    const message = error instanceof Error ? error.message : 'is no JSON';
    throw new PolicyError(source, [{ path: '', message }]);
  }
}
