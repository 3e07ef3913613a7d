// The body of a registration, key for key as documented, and what an operator's template makes of it.
import { createHash } from 'node:crypto';
import type { TenantRegistration } from '@sidestream/conversation-intelligence';

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What goes into the documented keys. */
export interface BodyFacts {
  readonly organizationId: string;
  readonly hosting: 'cloud' | 'on-premises';
  readonly displayName: string;
  readonly accountId: string;
  readonly certificateSubjectName: string;
  readonly certificateIssuer: string;
  readonly sourceIpNetwork: string;
}

/** The documented body: exactly its keys, in its order and case. */
export function documentedBody(facts: BodyFacts): JsonObject {
  const body: TenantRegistration = {
    orgId: facts.organizationId,
    Type: 'custom',
    hosting: facts.hosting,
    displayName: facts.displayName,
    AuthenticationDetails: {
      AccountId: facts.accountId,
      CertificateSubjectName: facts.certificateSubjectName,
      CertificateIssuer: facts.certificateIssuer,
      SourceIPNetwork: facts.sourceIpNetwork,
    },
  };
  return { ...body };
}

/** Applies a template as a JSON merge patch (RFC 7396): objects merge, null removes a key, all else replaces. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const before = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isObject(value) ? mergePatch(isObject(before) ? before : {}, value) : value;
  }
  return merged;
}

/**
 * Reads a template.
 *
 * @throws Error that says what is wrong with the text.
 */
export function parseTemplate(text: string): JsonObject {
  let template: unknown;
  try {
    template = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(template)) throw new Error('it must be a JSON object');
  return template;
}

/** A digest of each leaf by its path, so that a later body can be compared key by key without keeping this one. */
export function leafDigests(body: JsonObject, prefix = ''): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const [key, value] of Object.entries(body)) {
    const path = `${prefix}${key}`;
    if (isObject(value)) Object.assign(digests, leafDigests(value, `${path}.`));
    else digests[path] = sha256(JSON.stringify(value)).slice(0, 16);
  }
  return digests;
}

/** SHA-256 of a value, hex; the order of keys does not matter. */
export function contentHash(value: JsonObject): string {
  return sha256(JSON.stringify(sorted(value)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return keys.map((key) => [key, sorted(value[key])]);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
