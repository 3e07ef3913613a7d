// From the codes of sockets, TLS and DNS to what somebody has to do.

/** Our side of a connection that failed, in the words of its configuration. */
export interface OurSide {
  /** Whom we call: `the recorder`. */
  readonly peer: string;
  /** Key of the file with the authorities to trust. */
  readonly trust: string;
  /** Key of the certificate that we show; absent: none. */
  readonly identity?: string;
}

/** For whom our certificate is not good enough. */
export const refusedCertificate = ({ peer, identity }: OurSide) =>
  `${peer} does not take ${identity ?? 'a client without a certificate'}: its operator has to trust the authority that signed it, and to know its name`;

const untrusted = ({ peer, trust }: OurSide) =>
  `put the authority that signs for ${peer} into ${trust}; if you have it there, ${peer} shows another one or leaves out the chain between`;

const advice: Readonly<Record<string, (ours: OurSide) => string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: ({ peer }) =>
    `call ${peer} by a name of its certificate, or have its operator renew it`,
  CERT_HAS_EXPIRED: ({ peer }) => `the operator of ${peer} has to renew its certificate; or set the clock here`,
  CERT_NOT_YET_VALID: () => 'set the clock here, or wait until the certificate is valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: refusedCertificate,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: refusedCertificate,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: refusedCertificate,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: ({ identity }) => `renew ${identity ?? 'our certificate'}`,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: ({ identity }) => `renew ${identity ?? 'our certificate'}: it is revoked`,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: refusedCertificate,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: refusedCertificate,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: refusedCertificate,
  ERR_SSL_WRONG_VERSION_NUMBER: ({ peer }) => `${peer} speaks no TLS on this port: check the port`,
  EPROTO: ({ peer }) => `${peer} speaks no TLS on this port: check the port`,
  ECONNREFUSED: ({ peer }) => `nothing listens there: check host and port, and that ${peer} runs`,
  ECONNRESET: ({ peer }) => `${peer}, or a firewall before it, ends connections: ask its operator`,
  ETIMEDOUT: ({ peer }) => `nothing answers: check host and port, and firewalls between here and ${peer}`,
  EHOSTUNREACH: () => 'there is no way to the address: check routes and firewalls',
  ENETUNREACH: () => 'there is no way to the address: check routes and firewalls',
  ENOTFOUND: () => 'the name does not exist: check its spelling, and the DNS servers of this machine',
  EAI_AGAIN: () => 'DNS does not answer: check the DNS servers of this machine',
};

/** The code of an error, or of what caused it. */
export function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0]);
    if ('code' in at && typeof at.code === 'string' && at.code in advice) return at.code;
  }
  return undefined;
}

/** What to do about a connection that failed. */
export function adviceFor(error: unknown, ours: OurSide): string {
  const code = codeOf(error);
  return (code === undefined ? undefined : advice[code]?.(ours)) ?? `check host, port and firewalls up to ${ours.peer}`;
}
