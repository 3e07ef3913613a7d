// Stands for kube-apiserver: takes what a pod says of itself over TLS, and keeps it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createAuthority } from '@sidestream/pki';

export class TestCluster {
  /** Each cost with the path to which it was written. */
  readonly costs: string[] = [];
  #server: Server | undefined;
  #directory: string | undefined;

  /** Starts it, and gives what the process of a pod finds in its environment. */
  async environment(pod: string): Promise<Record<string, string>> {
    const authority = await createAuthority('Cluster');
    const { certificate: cert, key } = await authority.issue({ commonName: 'api', ipAddresses: ['127.0.0.1'] });
    const server = createServer({ cert, key }, async (request, response) => {
      const [cost] = /\d+/.exec(await text(request)) ?? [];
      if (request.headers.authorization === 'Bearer a-token') this.costs.push(`${request.url}: ${cost}`);
      response.end('{}');
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#directory = mkdtempSync(join(tmpdir(), 'relay-pod-'));
    writeFileSync(join(this.#directory, 'token'), 'a-token');
    writeFileSync(join(this.#directory, 'ca.crt'), authority.certificate);
    const { port } = server.address() as AddressInfo;
    return {
      SIDESTREAM_POD_URL: `https://127.0.0.1:${port}/api/v1/namespaces/voice/pods/${pod}`,
      SIDESTREAM_POD_CREDENTIALS: this.#directory,
    };
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.#server ? this.#server.close(() => resolve()) : resolve()));
    if (this.#directory) rmSync(this.#directory, { recursive: true });
  }
}
