// An edge that runs already: what `sidestream edge-config` has written of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const externalEdge = z.object({ admin: z.string(), sip: z.string() });

/** Addresses of a drachtio-server: of its admin port, and of SIP over UDP and TCP. */
export type ExternalEdge = z.infer<typeof externalEdge>;

/** @param folder where edge-config wrote. Throws where it did not. */
export function readExternalEdge(folder: string): ExternalEdge & { readonly secretFile: string } {
  const places = externalEdge.parse(JSON.parse(readFileSync(join(folder, 'edge.json'), 'utf8')));
  return { ...places, secretFile: join(folder, 'edge-secret') };
}
