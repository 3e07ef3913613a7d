// Asks an issuer for its discovery document and its keys, over the authorities that the configuration trusts. The file with them is read
// at each asking, which is seldom: a renewed authority counts without a restart. What goes wrong is told in the log, with the key to look at.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type GatewaySection, httpGet, type Logger, RateLimit } from '@sidestream/service';

type Issuer = Pick<GatewaySection['issuers'][number], 'issuer' | 'trustFile'>;

/** Gets what stands under a URL; 200 or an error, which may be that it was asked enough. */
export type IssuerFetch = (url: string, signal: AbortSignal) => Promise<Response>;

/** While an issuer is down, everybody's token makes us ask it, also a forged one. */
const mostAsked = { perSecond: 0.5, burst: 4 };

const refusals = new Set([
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** @param key of the issuer in the configuration: `gateway.issuers.0` */
export function issuerFetch({ issuer, trustFile }: Issuer, key: string, log: Logger): IssuerFetch {
  const asking = new RateLimit({ ...mostAsked, clock: () => performance.now(), maxKeys: 1 });
  const lines = new RateLimit({ perSecond: 0.1, burst: 1, clock: () => performance.now(), maxKeys: 1 });
  return async (url, signal) => {
    if (!asking.take('')) throw new Error(`${url} is not asked: the issuer was asked too often of late`);
    try {
      const trust = trustFile === undefined ? undefined : await readTrust(trustFile, `${key}.trustFile`);
      const { status, body } = await httpGet(url, signal, trust);
      if (status !== 200) throw new Error(`${url} answers ${status}`);
      return new Response(body, { status });
    } catch (thrown) {
      const error = told(thrown, url, `${key}.trustFile`);
      if (lines.take(''))
        log.error({ issuer, where: key, reason: error.message }, 'an issuer of tokens can not be asked');
      throw error;
    }
  };
}

/** Node passes over what is no certificate without a word, and the issuer would be a stranger. */
async function readTrust(file: string, key: string): Promise<string> {
  try {
    const pem = await readFile(file, 'utf8');
    return new X509Certificate(pem) && pem;
  } catch (error) {
    throw new Error(`${key}: '${file}' is not readable as certificates (PEM): ${(error as Error).message}`);
  }
}

function told(thrown: unknown, url: string, key: string): Error {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code === undefined) return thrown as Error;
  const advice = refusals.has(code) ? `: who signed its certificate must be in ${key}` : '';
  return new Error(`${url} can not be asked: ${message || code}${advice}`);
}
