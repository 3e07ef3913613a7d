// A real drachtio-server in a process of its own, as an EdgeHandle.
import { requirePeer, startDrachtio } from '@sidestream/peers';
import type { HostPort } from '@sidestream/sip';
import type { EdgeUnderTest } from './edge-handle.js';
import { address } from './embedded-edge.js';

/** drachtio-server's T1 unless its configuration says otherwise. */
const t1 = 500;

/** Starts one, or takes the one that the environment names; what sip-edge does better is not asked of it. */
export const realDrachtio: EdgeUnderTest = {
  name: 'drachtio-server',
  referenceOnly: true,
  async start() {
    const { host, port, secret, contacts, stop } = requirePeer(await startDrachtio());
    const listener = (protocol: string): HostPort =>
      address(contacts.find((contact) => contact.startsWith(`${protocol}/`))?.slice(protocol.length + 1) ?? '');
    return { admin: { host, port, secret }, udp: listener('udp'), tcp: listener('tcp'), t1, stop };
  },
};
