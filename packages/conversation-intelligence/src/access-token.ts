/** Reads an access token without verifying it (that is the API's part), to say early why the API will refuse it. */

const neededRole = 'Users.Read.All';

/** What is wrong with the token's audience or roles, one sentence each. An opaque token gives no warning. */
export function tokenWarnings(token: string, resourceAppId: string): string[] {
  const claims = claimsOf(token);
  if (claims === undefined) return [];
  const warnings: string[] = [];
  const { aud, roles } = claims;
  if (aud !== resourceAppId && aud !== `api://${resourceAppId}`)
    warnings.push(`The token is for ${JSON.stringify(aud)}, not for ${resourceAppId}: check resourceAppId.`);
  if (!Array.isArray(roles) || !roles.includes(neededRole))
    warnings.push(
      `The token lacks the role ${neededRole}: an administrator must add this application permission of "Media Recording for Dynamics 365 Sales" to the app and grant admin consent.`,
    );
  return warnings;
}

function claimsOf(token: string): Record<string, unknown> | undefined {
  const [, payload] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
