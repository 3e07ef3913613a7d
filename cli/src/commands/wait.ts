// `sidestream wait`: what runs in a pod where operators run the other commands.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { say } from '../answered.js';

/** Answers GET /livez, and does nothing else, until SIGTERM or SIGINT. @throws Error where it can't listen */
export async function wait(port: number): Promise<number> {
  const server = createServer(({ url }, response) => {
    const isKnown = url?.split('?')[0] === '/livez';
    response
      .writeHead(isKnown ? 200 : 404, { 'content-type': 'text/plain' })
      .end(isKnown ? 'live\n' : 'there is /livez\n');
  });
  server.requestTimeout = 5_000;
  server.maxConnections = 16;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Without a host: at all addresses of the pod, of either family.
    server.listen(port, resolve);
  });
  say(JSON.stringify({ ready: true, addresses: { management: `:${(server.address() as AddressInfo).port}` } }));
  await new Promise<void>((stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop());
  });
  server.close();
  server.closeAllConnections();
  return 0;
}
