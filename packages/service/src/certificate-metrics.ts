// The certificates that a process uses, as numbers: when they end, and whether their files can be used. What renews them
// may fail for weeks without anybody noticing, since the old ones stay in use.
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Gauge, type Registry } from 'prom-client';
import type { SidestreamConfig, TlsFiles } from './config/schema.js';
import type { Logger } from './log.js';

/** One certificate in use; the names are the metrics' labels. */
export interface CertificateFiles {
  readonly use: 'grpc' | 'nats' | 'gateway' | 'edge' | 'recording';
  /** Whose it is where there are several of a use: the tenant. */
  readonly name?: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Those that every service has: towards the others and towards NATS. */
export function linkCertificates(nats: SidestreamConfig['nats'], grpcTls: TlsFiles | undefined): CertificateFiles[] {
  return [
    ...(grpcTls ? [{ use: 'grpc' as const, ...grpcTls }] : []),
    ...(nats.tls ? [{ use: 'nats' as const, ...nats.tls }] : []),
  ];
}

/** Looks at the files at each scrape, and reads those that have changed. A fault is logged once for each change. */
export function measureCertificates(
  { metrics, log }: { readonly metrics: Registry; readonly log: Logger },
  certificates: readonly CertificateFiles[],
): void {
  const looks = certificates.map((files) => ({
    labels: { use: files.use, name: files.name ?? '' },
    look: watch(files, log),
  }));
  const labelNames = ['use', 'name'] as const;
  const registers = [metrics];
  new Gauge({
    name: 'sidestream_certificate_expiry_seconds',
    help: 'When the certificate in the file ends, in seconds since 1970, by use (grpc, nats, gateway, edge, recording) and name.',
    labelNames,
    registers,
    async collect() {
      for (const { labels, look } of looks) {
        const { notAfter } = await look();
        if (notAfter === undefined) this.remove(labels);
        else this.set(labels, notAfter);
      }
    },
  });
  new Gauge({
    name: 'sidestream_certificate_usable',
    help: 'Whether certificate and key can be read and belong together: 0 means that a renewal failed and the old one stays in use.',
    labelNames,
    registers,
    async collect() {
      for (const { labels, look } of looks) this.set(labels, (await look()).usable ? 1 : 0);
    },
  });
}

interface Look {
  /** Unix time in seconds. */
  readonly notAfter?: number;
  readonly usable: boolean;
}

function watch({ use, name = '', certFile, keyFile }: CertificateFiles, log: Logger): () => Promise<Look> {
  let seen: string | undefined;
  let last: Promise<Look> = Promise.resolve({ usable: false });
  const read = async (): Promise<Look> => {
    let notAfter: number | undefined;
    try {
      const cert = await readFile(certFile);
      notAfter = Date.parse(new X509Certificate(cert).validTo) / 1_000;
      createSecureContext({ cert, key: await readFile(keyFile) });
      return { notAfter, usable: true };
    } catch (error) {
      log.error(
        { err: error, use, name, certFile },
        'the certificate can not be used; what was good before stays in use',
      );
      return { ...(notAfter !== undefined && { notAfter }), usable: false };
    }
  };
  return async () => {
    const stamp = (await Promise.all([certFile, keyFile].map(stampOf))).join('|');
    if (stamp !== seen) {
      seen = stamp;
      last = read();
    }
    return await last;
  };
}

/** Changes when the file does, also when a mounted secret is swapped by a symbolic link. */
async function stampOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file);
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch {
    return 'absent';
  }
}
