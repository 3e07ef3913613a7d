// For tests: Debian's Kamailio as a relay, with certificates for it and for those who call through it.
import { readFile } from 'node:fs/promises';
import { type KamailioPeer, requirePeer, startKamailio } from '@sidestream/peers';
import { type Authority, CredentialFolder, createAuthority } from '@sidestream/pki';
import { TlsIdentity } from '../transport/tls-identity.js';

export interface Relay {
  readonly kamailio: KamailioPeer;
  readonly authority: Authority;
  /** An identity of the authority that Kamailio trusts, or of another one. */
  identity(name: string, authority?: Authority): Promise<TlsIdentity>;
}

/** Runs `work` with a Kamailio that relays and demands certificates. @param more lines for its script */
export async function withRelay(work: (relay: Relay) => Promise<void>, more = ''): Promise<void> {
  const authority = await createAuthority('Test authority');
  const own = await authority.issue({ commonName: 'kamailio', ipAddresses: ['127.0.0.1'] });
  const script = await readFile(new URL('../../strangers/relay.cfg', import.meta.url), 'utf8');
  const { certificate, key, trust } = own;
  const kamailio = requirePeer(await startKamailio({ script: `${script}\n${more}`, tls: { certificate, key, trust } }));
  const folder = await CredentialFolder.create();
  try {
    await work({
      kamailio,
      authority,
      async identity(name, issuer = authority) {
        const credential = await issuer.issue({ commonName: name, ipAddresses: ['127.0.0.1'] });
        return new TlsIdentity(await folder.write(credential, name, authority));
      },
    });
  } finally {
    await kamailio.stop();
    await folder.remove();
  }
}
