/** Binding an HTTPS server and saying under which origin it is found. */
import { once } from 'node:events';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ListenParts {
  readonly host: string;
  readonly port: number;
  readonly publicHost: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string };
}

/** Rejects with the system's error when the address is taken. */
export async function listen(server: Server, parts: ListenParts): Promise<{ origin: string; port: number }> {
  server.listen(parts.port, parts.host);
  await once(server, 'listening');
  const { address, port, family } = server.address() as AddressInfo;
  const host = parts.publicHost ?? (family === 'IPv6' ? `[${address}]` : address);
  return { origin: `https://${host}:${port}`, port };
}
