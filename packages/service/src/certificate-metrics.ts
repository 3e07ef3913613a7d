// The certificates that a process uses, as numbers: when they end, and whether their files can be used.
import { Gauge, type Registry } from 'prom-client';
import { type CertificateFiles, CertificateWatch } from './certificate-watch.js';
import type { SidestreamConfig, TlsFiles } from './config/schema.js';
import { lookEveryMs } from './grpc/tls-material.js';
import type { Logger } from './log.js';

/** Those that every service has: towards the others and towards NATS. */
export function linkCertificates(nats: SidestreamConfig['nats'], grpcTls: TlsFiles | undefined): CertificateFiles[] {
  return [
    ...(grpcTls ? [{ use: 'grpc' as const, ...grpcTls }] : []),
    ...(nats.tls ? [{ use: 'nats' as const, ...nats.tls }] : []),
  ];
}

/** Looks at the files at once, every half minute, and at each scrape; reads those that have changed, and logs what is wrong with them. */
export function measureCertificates(
  { metrics, log }: { readonly metrics: Registry; readonly log: Logger },
  certificates: readonly CertificateFiles[],
  everyMs = lookEveryMs,
): void {
  const watched = certificates.map((files) => ({
    labels: { use: files.use, name: files.name ?? '' },
    watch: new CertificateWatch(files, log),
  }));
  const lookAtAll = () => void Promise.all(watched.map(({ watch }) => watch.look()));
  lookAtAll();
  setInterval(lookAtAll, everyMs).unref();

  const labelNames = ['use', 'name'] as const;
  const registers = [metrics];
  new Gauge({
    name: 'sidestream_certificate_expiry_seconds',
    help: 'When the certificate in the file ends, in seconds since 1970, by use (grpc, nats, gateway, edge, recording) and name.',
    labelNames,
    registers,
    async collect() {
      for (const { labels, watch } of watched) {
        const { notAfter } = await watch.look();
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
      for (const { labels, watch } of watched) this.set(labels, (await watch.look()).usable ? 1 : 0);
    },
  });
}
