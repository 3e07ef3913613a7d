// `sidestream edge-config`: what a drachtio-server beside signalling starts with. It runs before both, once per start: it finds the
// address that peers reach, and makes the secret that the two share. There is no secret that anybody has to keep.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatHostPort, SidestreamError } from '@sidestream/service';
import { failed, say } from '../answered.js';
import type { ExternalEdge } from '../external-edge.js';
import { type AddressSources, reachableAddress } from '../reachable-address.js';

export interface EdgeConfigOptions extends AddressSources {
  readonly out: string;
  readonly port: number;
  readonly transports: readonly string[];
  readonly adminPort: number;
  /** On loopback, where the server tells its own metrics, which signalling passes on; absent: nowhere. */
  readonly metricsPort?: number;
  readonly tlsPort?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** The admin port takes commands, and metrics are nobody's who merely reaches the node. */
const loopback = '127.0.0.1';

/**
 * Writes `drachtio.conf.xml`, `edge-secret` and `edge.json`, with TLS also `edge.crt` and `edge.key`: what the server shows until it starts
 * anew, whatever becomes of the files that these are copies of.
 *
 * @returns the exit code: 1 when there is no address to tell peers
 */
export async function edgeConfig(options: EdgeConfigOptions): Promise<number> {
  try {
    const secret = randomBytes(32).toString('hex');
    const tls = [options.tlsPort, options.tlsCert, options.tlsKey].filter((one) => one !== undefined).length;
    if (tls !== 0 && tls !== 3)
      throw new SidestreamError('bad-request', 'TLS needs all three: --tls-port, --tls-cert and --tls-key');
    const { address, how, bind } = await reachableAddress(options);
    mkdirSync(options.out, { recursive: true });
    // The server and signalling are users of one group, in containers of their own.
    const keep = (name: string, text: string | Buffer) => writeFileSync(join(options.out, name), text, { mode: 0o640 });
    keep('edge-secret', secret);
    const { adminPort, port } = options;
    const places: ExternalEdge = {
      admin: formatHostPort({ host: loopback, port: adminPort }),
      sip: formatHostPort({ host: bind, port }),
    };
    keep('edge.json', JSON.stringify(places));
    if (options.tlsCert !== undefined && options.tlsKey !== undefined) {
      keep('edge.crt', readFileSync(options.tlsCert));
      keep('edge.key', readFileSync(options.tlsKey));
    }
    keep('drachtio.conf.xml', drachtioXml(options, { bind, address, secret }));
    say(JSON.stringify({ address, how, bind, port: options.port, transports: options.transports }));
    return 0;
  } catch (error) {
    return failed(error);
  }
}

function drachtioXml(
  { out, port, transports, adminPort, metricsPort, tlsPort }: EdgeConfigOptions,
  { bind, address, secret }: { bind: string; address: string; secret: string },
): string {
  const external = address === bind ? '' : ` external-ip="${address}"`;
  const contact = (at: number, spoken: string) =>
    `      <contact${external}>sip:${formatHostPort({ host: bind, port: at })};transport=${spoken}</contact>\n`;
  const own = (name: string) => resolve(out, name);
  // Of the certificate's file it takes the first alone: what stands between it and the root is found in the chain's file, without which
  // the server ends.
  const files = `<key-file>${own('edge.key')}</key-file>
      <cert-file>${own('edge.crt')}</cert-file>
      <chain-file>${own('edge.crt')}</chain-file>`;
  const tls = tlsPort === undefined ? '' : `    <tls>\n      ${files}\n    </tls>\n`;
  const metrics =
    metricsPort === undefined
      ? ''
      : `  <monitoring>\n    <prometheus port="${metricsPort}">${loopback}</prometheus>\n  </monitoring>\n`;
  return `<drachtio>
  <admin port="${adminPort}" secret="${secret}">${loopback}</admin>
  <sip>
    <contacts>
${contact(port, transports.join(','))}${tlsPort === undefined ? '' : contact(tlsPort, 'tls')}    </contacts>
${tls}  </sip>
${metrics}  <logging>
    <!-- From info on it logs every message, with numbers, logins and keys. -->
    <console/>
    <sofia-loglevel>3</sofia-loglevel>
    <loglevel>warning</loglevel>
  </logging>
</drachtio>
`;
}
