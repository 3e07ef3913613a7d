// Peers behind a NAT: their Contact names an address of their own network, which says nothing outside it.
import { parseUri } from '@sidestream/sip';
import { PeerSet } from './peers.js';

/** RFC 1918, RFC 6598 and RFC 4193. */
const insideNetworks = new PeerSet(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']);

/**
 * Whether a peer cannot be reached at its Contact: that is a private address, and the peer was heard at another one that is not
 * private. A peer of our own private network is taken at its word.
 */
export function isTranslated(contact: string, heardAt: string): boolean {
  const host = parseUri(contact).host.replace(/^\[|\]$/g, '');
  return host !== heardAt && insideNetworks.has(host) && !insideNetworks.has(heardAt);
}
