// sip-edge: SIP for one machine, spoken by applications through drachtio-server's admin protocol. Wiring only.
import { measureCertificates, runService } from '@sidestream/service';
import { TlsIdentity } from '@sidestream/sip';
import { Edge } from './adapters/edge.js';
import { readEdgeConfig } from './config.js';

await runService({
  name: 'sip-edge',
  readConfig: () => readEdgeConfig(),
  async start({ config, log, metrics, health }) {
    health.set('sip', false, 'not listening yet');
    const { listen, advertise, peers, domains, callsFromStrangers, certificateNames, secret, tls, maxCalls, sources } =
      config;
    measureCertificates({ metrics, log }, tls ? [{ use: 'edge', ...tls }] : []);
    const onProblem = (error: Error) => log.error({ err: error }, 'signalling.tls: the old certificate stays in use');
    const edge = await Edge.start({
      listen,
      advertise,
      peers,
      domains,
      callsFromStrangers,
      certificateNames,
      secret,
      adminPort: 0,
      ...(tls
        ? { tls: { identity: new TlsIdentity(tls, onProblem), requestClientCertificate: tls.trustFile !== undefined } }
        : {}),
      // A call through a B2BUA has two dialogs, and each dialog a transaction or two that outlast it.
      maxDialogs: 2 * maxCalls + 100,
      maxTransactions: 20 * maxCalls + 1_000,
      sources,
      log,
      metrics,
    });
    health.set('sip', true);
    return { addresses: edge.addresses, stop: () => edge.close() };
  },
});
