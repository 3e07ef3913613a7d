/** How an app proves itself at the token endpoint: a secret, or an assertion signed by its certificate's key (RFC 7523). */
import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { SimulatedApp } from './provider-options.js';

/** What Entra says when a proof fails. */
export interface ProofFault {
  readonly number: number;
  readonly text: string;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Entra takes clocks that are five minutes off. */
const clockToleranceS = 300;

/** Checks the proof in a token request for real; undefined = proven. */
export async function checkProof(
  form: URLSearchParams,
  app: SimulatedApp,
  audience: string,
  now: Date,
): Promise<ProofFault | undefined> {
  const assertion = form.get('client_assertion');
  if (assertion !== null) return await checkAssertion(form, assertion, app, audience, now);
  const secret = form.get('client_secret');
  if (secret === null)
    return { number: 7000218, text: "The request body must contain 'client_assertion' or 'client_secret'." };
  if (app.secret === undefined || !sameText(secret, app.secret))
    return { number: 7000215, text: `Invalid client secret provided for app '${app.clientId}'.` };
  return undefined;
}

async function checkAssertion(
  form: URLSearchParams,
  assertion: string,
  { clientId, certificatePem }: SimulatedApp,
  audience: string,
  now: Date,
): Promise<ProofFault | undefined> {
  const unknownKey = { number: 700027, text: 'The certificate with the identifier used to sign is not registered.' };
  if (form.get('client_assertion_type') !== assertionType)
    return { number: 900144, text: `client_assertion_type must be ${assertionType}.` };
  if (certificatePem === undefined) return unknownKey;
  const certificate = new X509Certificate(certificatePem);
  try {
    const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
    if (decodeProtectedHeader(assertion)['x5t#S256'] !== thumbprint) return unknownKey;
    await jwtVerify(assertion, certificate.publicKey, {
      algorithms: ['PS256', 'RS256'],
      issuer: clientId,
      subject: clientId,
      audience,
      requiredClaims: ['exp', 'jti'],
      clockTolerance: clockToleranceS,
      currentDate: now,
    });
    return undefined;
  } catch (error) {
    const isTime =
      error instanceof errors.JWTExpired || (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf');
    if (isTime) return { number: 700024, text: 'Client assertion is not within its valid time range.' };
    return { number: 700027, text: `Client assertion failed signature or claim validation: ${String(error)}.` };
  }
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
