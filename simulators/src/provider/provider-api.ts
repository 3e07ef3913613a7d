/** The provider API: registrations and the users to record. It checks the bearer and the body as strictly as the documents allow. */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { ReportFinding } from './provider-finding.js';
import { problem, type Reply } from './reply.js';
import type { TokenMint } from './token-mint.js';

/** The example of the API's page, key for key. */
const registrationSchema = z.strictObject({
  orgId: z.guid(),
  Type: z.literal('custom'),
  hosting: z.enum(['cloud', 'on-premises']),
  displayName: z.string().min(1),
  AuthenticationDetails: z.strictObject({
    AccountId: z.string().min(1),
    CertificateSubjectName: z.string().min(1),
    CertificateIssuer: z.string().min(1),
    SourceIPNetwork: z.string().min(1),
  }),
});

export type ReceivedRegistration = z.output<typeof registrationSchema>;

export const tenantsPath = '/api/v1.0/providers/tenants';
export const usersPath = '/api/v1.0/providers/users';

/** What is wrong with a request's bearer; undefined = it may pass. */
export async function checkBearer(
  authorization: string | undefined,
  parts: { readonly mint: TokenMint; readonly resourceAppId: string },
  now: Date,
  report: ReportFinding,
): Promise<Reply | undefined> {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    report('bearer-missing', 'There is no bearer token.');
    return unauthorized('invalid_request', 'no bearer token');
  }
  try {
    const { roles } = await parts.mint.verify(token, parts.resourceAppId, now);
    if (Array.isArray(roles) && roles.includes('Users.Read.All')) return undefined;
    report('bearer-role', 'The token lacks the role Users.Read.All.');
    return problem(403, 'The token lacks the role Users.Read.All.');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report('bearer-invalid', `The token is refused: ${reason}.`);
    return unauthorized('invalid_token', reason);
  }
}

export function unauthorized(error: string, description: string): Reply {
  const challenge = `Bearer error="${error}", error_description="${description.replaceAll('"', "'")}"`;
  return { ...problem(401, description), headers: { 'www-authenticate': challenge } };
}

/** Reads a registration. What is documented and missing or wrong is refused; what is merely unknown is reported. */
export function readRegistration(
  text: string,
  contentType: string,
  report: ReportFinding,
): { registration: Record<string, unknown> } | { refusal: Reply } {
  if (!/^application\/json\b/i.test(contentType)) report('body-content-type', `Content-Type is '${contentType}'.`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    report('body-json', 'The body is no JSON.');
    return { refusal: problem(400, 'The body is no JSON.') };
  }
  const issues = registrationSchema.safeParse(json).error?.issues ?? [];
  const errors: Record<string, string[]> = {};
  for (const { code, path, message } of issues) {
    const place = path.join('.') || 'body';
    report(code === 'unrecognized_keys' ? 'body-key-unknown' : 'body-value', `${place}: ${message}.`);
    if (code !== 'unrecognized_keys') errors[place] = [message];
  }
  if (Object.keys(errors).length > 0) return { refusal: problem(400, 'The registration is not valid.', { errors }) };
  const registration = json as Record<string, unknown> & ReceivedRegistration;
  const { SourceIPNetwork } = registration.AuthenticationDetails;
  if (isIP(SourceIPNetwork) === 0)
    report('body-value', `SourceIPNetwork: only a single address is documented, not '${SourceIPNetwork}'.`);
  return { registration };
}

/** What the users call gives at the moment. */
export interface UsersState {
  readonly users: readonly unknown[];
  readonly pageSize: number | undefined;
  readonly etag: string | undefined;
  readonly maxAgeS: number | undefined;
}

export function answerUsers(url: URL, ifNoneMatch: string | undefined, state: UsersState): Reply {
  const { users, pageSize, etag, maxAgeS } = state;
  const headers = {
    ...(etag !== undefined && { etag }),
    ...(maxAgeS !== undefined && { 'cache-control': `max-age=${maxAgeS}` }),
  };
  if (etag !== undefined && ifNoneMatch === etag) return { status: 304, headers };
  if (pageSize === undefined) return { status: 200, headers, body: [...users] };
  const from = Number(url.searchParams.get('$skiptoken') ?? 0);
  if (!Number.isSafeInteger(from) || from < 0) return problem(400, '$skiptoken is not one of ours.');
  const next = new URL(url);
  next.searchParams.set('$skiptoken', String(from + pageSize));
  const body = {
    value: users.slice(from, from + pageSize),
    ...(from + pageSize < users.length && { '@odata.nextLink': next.href }),
  };
  return { status: 200, headers, body };
}
