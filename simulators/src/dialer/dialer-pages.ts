/**
 * A dialer widget and a host for it that behaves as Dynamics 365, each at an origin of its own: what an integrator looks at before going
 * live, and what the browser tests drive. Signing in is left out: who may mint tokens is the one who starts it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { file, scriptsOf } from '../pages/page-files.js';
import { PageServer, plain } from '../pages/page-server.js';

export interface DialerPagesOptions {
  /** `ws://…/dialer/v1/events` */
  readonly gatewayUrl: string;
  /** An access token of the seller whom the widget's `?seller=` names; `refresh` when the last was refused or runs out. */
  readonly token: (request: { readonly seller: string; readonly refresh: boolean }) => Promise<string>;
  /** How long the host takes when it is to answer too late; 11 s, one more than CIF waits. */
  readonly slowMs?: number;
  /** How long the CIF library waits for the host; 10 s, as the real one. */
  readonly cifTimeoutMs?: number;
  readonly ports?: { readonly host: number; readonly widget: number };
}

export class DialerPages {
  /** The simulated Dynamics 365; `?seller=<id>` says who is in front of it, `&behaviour=slow|refuse|old` how it behaves. */
  readonly hostUrl: string;
  /** Of the widget; a gateway must allow it. */
  readonly widgetOrigin: string;
  readonly #servers: readonly PageServer[];

  private constructor(host: PageServer, widget: PageServer) {
    this.hostUrl = `${host.origin}/host.html`;
    this.widgetOrigin = widget.origin;
    this.#servers = [host, widget];
  }

  static async start(options: DialerPagesOptions): Promise<DialerPages> {
    const { gatewayUrl, token, slowMs = 11_000, cifTimeoutMs = 10_000, ports } = options;
    // Each origin names the other one, and only a server that listens knows its own.
    const origins = { host: '', widget: '' };
    const host = await PageServer.start({
      policy: () => `default-src 'self'; frame-src ${origins.widget}`,
      routes: {
        'GET /host.html': file('host.html'),
        'GET /host.js': file('host.js'),
        'GET /style.css': file('style.css'),
        'GET /webresources/Widget/msdyn_ciLibrary.js': file('ci-library.js'),
        'GET /settings.json': () => json({ widgetUrl: `${origins.widget}/widget.html`, slowMs, cifTimeoutMs }),
      },
      ...(ports && { port: ports.host }),
    });
    origins.host = host.origin;
    const importMap = await importMapOf('widget.html');
    const widget = await PageServer.start({
      // What a dialer's own server has to send, with https://*.dynamics.com for the host.
      policy: () =>
        `default-src 'self'; script-src 'self' '${importMap}' ${host.origin}; connect-src 'self' ${new URL(gatewayUrl).origin}; frame-ancestors ${host.origin}`,
      routes: {
        'GET /widget.html': file('widget.html'),
        'GET /widget.js': file('widget.js'),
        'GET /style.css': file('style.css'),
        'GET /dialer-client/*': scriptsOf(new URL('.', import.meta.resolve('@sidestream/dialer-client'))),
        'GET /settings.json': () => json({ gatewayUrl, cifOrigins: [host.origin] }),
        'POST /token': async (_, body) => {
          const { seller, refresh } = JSON.parse(body) as { seller?: unknown; refresh?: unknown };
          if (typeof seller !== 'string' || seller === '') return plain(400, 'which seller?');
          return plain(200, await token({ seller, refresh: refresh === true }));
        },
      },
      ...(ports && { port: ports.widget }),
    });
    origins.widget = widget.origin;
    return new DialerPages(host, widget);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

function json(value: unknown): { body: string } {
  return { body: JSON.stringify(value) };
}

/** The import map is the page's only inline script; its hash lets a policy allow just that one. */
async function importMapOf(name: string): Promise<string> {
  const html = await readFile(new URL(`../../pages/${name}`, import.meta.url), 'utf8');
  const map = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  return `sha256-${createHash('sha256').update(map).digest('base64')}`;
}
