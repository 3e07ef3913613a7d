// From the errors of node:net and node:tls to SipError, in words that tell an operator what to do.
import { SipError } from '../sip-error.js';

const verification: ReadonlyMap<string, string> = new Map([
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate for another name'],
  ['CERT_HAS_EXPIRED', 'certificate expired'],
  ['CERT_NOT_YET_VALID', 'certificate not yet valid'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'certificate from an authority that is not trusted'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'certificate from an authority that is not trusted'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'certificate from an authority that is not trusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate from an authority that is not trusted'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'the peer does not trust our certificate'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'the peer wants a client certificate'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'the peer refused our certificate'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'our certificate has expired for the peer'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', 'our certificate is revoked for the peer'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'the peer refused our certificate'],
  ['ERR_SSL_TLSV1_ALERT_ACCESS_DENIED', 'the peer knows our certificate and denies access'],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'the peer refused the handshake'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the peer does not speak TLS'],
]);

/** The SipError of a socket failure: `tls-refused` for what TLS itself found wrong, else `transport-failed`. */
export function socketError(peer: string, error: Error): SipError {
  const code = codeOf(error);
  const words = verification.get(code);
  const message = `${peer}: ${words === undefined ? error.message || code : `${words}: ${error.message}`}`;
  return new SipError(isTlsCode(code) ? 'tls-refused' : 'transport-failed', message, { cause: error });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

// System errors are called ECONNREFUSED, EAI_AGAIN and the like; OpenSSL's and Node's TLS codes are all longer words.
function isTlsCode(code: string): boolean {
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return true;
  return code !== '' && !code.startsWith('ERR_') && !/^E(AI_)?[A-Z0-9]+$/.test(code);
}
