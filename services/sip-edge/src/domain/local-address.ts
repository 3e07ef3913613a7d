// How the edge names itself in messages: one address per listener, and what Contact, From and @localhost become with it.
import {
  formatHostPort,
  formatNameAddr,
  formatUri,
  parseNameAddr,
  parseUri,
  type TransportProtocol,
} from '@sidestream/sip';

/** A listener as the far side shall see it: `host` is the advertised one where there is one. */
export interface LocalAddress {
  readonly protocol: TransportProtocol;
  readonly host: string;
  readonly port: number;
}

/** `host:port` as it stands in a URI. */
export function hostPort({ host, port }: { host: string; port: number }): string {
  return formatHostPort(host, port);
}

/** From of a request for which the application named nobody. */
export function defaultFrom(local: LocalAddress): string {
  return `<${local.protocol === 'tls' ? 'sips' : 'sip'}:${hostPort(local)}>`;
}

/** Contact of the edge on this listener. UDP needs no transport parameter: it is the default (RFC 3263 §4.1). */
export function defaultContact(local: LocalAddress): string {
  switch (local.protocol) {
    case 'udp':
      return `<sip:${hostPort(local)}>`;
    case 'tcp':
      return `<sip:${hostPort(local)};transport=tcp>`;
    case 'tls':
      return `<sips:${hostPort(local)};transport=tls>`;
  }
}

/**
 * Puts the edge's host and port into a Contact that the application chose; user, parameters and feature tags stay.
 * Without a transport parameter the far side would answer over UDP (drachtio-server leaves it out), so stream
 * transports add theirs. What is no SIP URI (`*`, `tel:`) stays as it is.
 */
export function ownContact(value: string, local: LocalAddress): string {
  try {
    const contact = parseNameAddr(value);
    const uri = parseUri(contact.uri);
    if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return value;
    const parameters = new Map(uri.parameters);
    if (local.protocol !== 'udp' && !parameters.has('transport')) parameters.set('transport', local.protocol);
    return formatNameAddr({ ...contact, uri: formatUri({ ...uri, host: local.host, port: local.port, parameters }) });
  } catch {
    return value;
  }
}

/** Replaces `@localhost` in a header value by the address of the chosen listener. */
export function replaceLocalhost(value: string, local: LocalAddress): string {
  return value.replace(/@localhost(?::\d+)?(?![\w.-])/gi, `@${hostPort(local)}`);
}
