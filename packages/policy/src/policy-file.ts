// The policy as people write it: a YAML or JSON text. Reading the file is the service's.
import { createHash } from 'node:crypto';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { PolicyError, type PolicyProblem } from './policy-error.js';
import { addressKey, keyText, numberKey, type PolicyKey } from './policy-key.js';
import { openSnapshot, type PolicySnapshot } from './policy-snapshot.js';
import { encodeSnapshot, type PolicyRule } from './snapshot-encoder.js';

const maxChars = 16 * 1024 * 1024;
const text = z.string().trim().min(1).max(256);
const policyFile = z.strictObject({
  revision: text.max(64).optional(),
  users: z
    .array(
      z
        .strictObject({
          id: text,
          name: text.optional(),
          numbers: z.array(text).max(1000).default([]),
          addresses: z.array(text).max(1000).default([]),
        })
        .refine(({ numbers, addresses }) => numbers.length + addresses.length > 0, {
          message: 'has neither numbers nor addresses, so no call can match',
        }),
    )
    .max(100_000),
});

/**
 * The snapshot of a policy file. Its revision is the file's own, else the first 12 hex digits of the SHA-256 of the text.
 * @param source what errors call the file
 * @throws PolicyError with every problem and its path
 */
export function parsePolicyFile(content: string, source: string, fetchedAt: Date = new Date()): PolicySnapshot {
  const parsed = policyFile.safeParse(toData(content, source));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({ path: pathText(issue.path), message: issue.message }));
    throw new PolicyError(source, problems);
  }
  const { users, revision = createHash('sha256').update(content).digest('hex').slice(0, 12) } = parsed.data;
  const { bytes } = encodeSnapshot(rulesOf(users, source), { revision });
  return openSnapshot(bytes, { fetchedAt, source });
}

type FileUser = z.infer<typeof policyFile>['users'][number];

/**
 * What the file says, as keys. An id used twice, an unusable number or address, or one that two users share, is an error: who
 * wrote the file can repair it.
 */
function rulesOf(users: readonly FileUser[], source: string): PolicyRule[] {
  const problems: PolicyProblem[] = [];
  const ownerOf = new Map<string, string>();
  const ids = new Set<string>();
  const rules = users.map(({ id, name, numbers, addresses }, index): PolicyRule => {
    const path = `users[${index}]`;
    if (ids.has(id)) problems.push({ path: `${path}.id`, message: `${JSON.stringify(id)} is the id of another user` });
    ids.add(id);
    const keys: PolicyKey[] = [];
    const add = (at: string, value: string, key: PolicyKey | undefined, kind: string) => {
      const owner = key && (ownerOf.get(keyText(key)) ?? id);
      if (key === undefined || owner === undefined)
        problems.push({ path: at, message: `${JSON.stringify(value)} is not ${kind}` });
      else if (owner !== id) {
        problems.push({ path: at, message: `${JSON.stringify(value)} belongs to ${JSON.stringify(owner)} already` });
      } else {
        ownerOf.set(keyText(key), id);
        keys.push(key);
      }
    };
    for (const [at, text] of numbers.entries()) {
      add(`${path}.numbers[${at}]`, text, numberKey(text), 'an international number with + or 00');
    }
    for (const [at, text] of addresses.entries()) {
      add(`${path}.addresses[${at}]`, text, addressKey(text), 'a SIP address user@host');
    }
    return { id, ...(name !== undefined && { name }), keys };
  });
  if (problems.length > 0) throw new PolicyError(source, problems);
  return rules;
}

function toData(content: string, source: string): unknown {
  if (content.length > maxChars) {
    throw new PolicyError(source, [{ path: '', message: `more than ${maxChars} characters` }]);
  }
  const json = asJson(content);
  if (json !== undefined) return json;
  // The failsafe schema leaves every scalar a string: any other makes an integer of +49301234 and loses its plus.
  const document = parseDocument(content, { schema: 'failsafe', prettyErrors: true, stringKeys: true });
  const problems: PolicyProblem[] = document.errors.map(({ message }) => ({ path: '', message: firstLine(message) }));
  if (problems.length > 0) throw new PolicyError(source, problems);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const message = error instanceof Error ? firstLine(error.message) : 'unreadable';
    throw new PolicyError(source, [{ path: '', message }]);
  }
}

/** JSON is read forty times as fast as YAML. What only looks like it, such as YAML in braces, is left to the YAML parser. */
function asJson(content: string): unknown {
  if (!/^\s*[{[]/.test(content)) return undefined;
  try {
    // Scalars are strings, as in YAML: `"id": 7` is the seller "7".
    return JSON.parse(content, (_key, value: unknown) =>
      typeof value === 'number' || typeof value === 'boolean' ? String(value) : value,
    );
  } catch {
    return undefined;
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`;
    return before === '' ? String(key) : `${before}.${String(key)}`;
  }, '');
}
