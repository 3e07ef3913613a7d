// The recorders that Dynamics 365 documents, and how a deployment names a recorder. Dialling is the caller's: an explicit
// port means address look-ups only (RFC 3263 §4.2), and another region is never chosen silently (data residency).
import { isIP } from 'node:net';
import { dynamics365, type RecorderProfile, type SecureUri } from './recorder-profile.js';
import { quoted, SiprecError } from './siprec-error.js';

export interface RecorderEndpoint {
  readonly host: string;
  /** The documented region, in English. */
  readonly region: string;
}

export interface RecorderAddress {
  /** The Request-URI, as the profile writes it. */
  readonly uri: string;
  /** Of the Request-URI, and so of our Contact (RFC 3261 §8.1.1.8, RFC 5630 §5.1.1.2). */
  readonly scheme: SecureUri['scheme'];
  /** Name or address without brackets: what is looked up, sent as SNI and checked in the certificate. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'tls';
}

const domain = 'media.recording.dynamics.com';
// Azure region names and ad-hoc ones are mixed in the documentation, hence a table and not a pattern.
const regions: ReadonlyArray<readonly [name: string, region: string]> = [
  ['southeastasia', 'Southeast Asia'],
  ['australiaeast', 'Australia'],
  ['sam', 'South America'],
  ['canadacentral', 'Canada'],
  ['switzerlandnorth', 'Switzerland'],
  ['eastus', 'United States'],
  ['francecentral', 'France'],
  ['centralindia', 'India'],
  ['japaneast', 'Japan'],
  ['uae', 'United Arab Emirates'],
  ['uksouth', 'United Kingdom'],
  ['westeurope', 'West Europe'],
  ['zaf', 'South Africa'],
];

/** The 14 documented endpoints by the name that a configuration uses, `global` first. */
export const recorderEndpoints: ReadonlyMap<string, RecorderEndpoint> = new Map([
  ['global', { host: domain, region: 'Global (nearest region)' }],
  ...regions.map(([name, region]): [string, RecorderEndpoint] => [name, { host: `${name}.${domain}`, region }]),
]);

const defaultPort = 5061;
const uriPattern =
  /^(sips?):(?:([A-Za-z0-9\-_.!~*'()&=+$,%]{1,64})@)?(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?((?:;[A-Za-z0-9\-_.+%=]{1,64}){0,8})$/i;
const hostNamePattern = /^(?=.*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/**
 * Where a recorder is, from a name of {@link recorderEndpoints} (any case) or a `sip:`/`sips:` URI. The port defaults to
 * 5061 and the user to `SRS`; the transport is TLS whether the URI says so or not, and one that says otherwise is refused.
 * @throws SiprecError `recorder-name`, naming the value
 */
export function resolveRecorder(nameOrUri: string, profile: RecorderProfile = dynamics365): RecorderAddress {
  const endpoint = recorderEndpoints.get(nameOrUri.toLowerCase());
  if (endpoint !== undefined) {
    return addressed({ scheme: profile.defaultScheme, user: 'SRS', host: endpoint.host, port: defaultPort }, profile);
  }
  if (!/^sips?:/i.test(nameOrUri)) {
    const names = [...recorderEndpoints.keys()].join(', ');
    throw new SiprecError('recorder-name', `recorder ${quoted(nameOrUri)} is neither a sip: URI nor one of ${names}`);
  }
  return addressed(readUri(nameOrUri), profile);
}

function addressed(target: SecureUri, profile: RecorderProfile): RecorderAddress {
  const { scheme, host, port } = target;
  return { uri: profile.uri(target), scheme, host, port, transport: 'tls' };
}

function readUri(value: string): SecureUri {
  const match = uriPattern.exec(value);
  if (match === null) throw new SiprecError('recorder-name', `recorder ${quoted(value)} is not a usable SIP URI`);
  const [, scheme = 'sip', user = 'SRS', hostPart = '', portPart, parameters = ''] = match;
  const host = hostPart.replace(/^\[|\]$/g, '');
  const port = portPart === undefined ? defaultPort : Number(portPart);
  if (isIP(host) === 0 && !hostNamePattern.test(host)) {
    throw new SiprecError('recorder-name', `recorder ${quoted(value)} has no usable host`);
  }
  if (port < 1 || port > 65535) throw new SiprecError('recorder-name', `recorder ${quoted(value)} has no usable port`);
  const foreign = parameters
    .toLowerCase()
    .split(';')
    .filter((parameter) => parameter !== '' && parameter !== 'transport=tls');
  if (foreign.length > 0) {
    const text = `recorder ${quoted(value)} asks for ${foreign.join(';')}: a recorder is reached by TLS, nothing else`;
    throw new SiprecError('recorder-name', text);
  }
  return { scheme: scheme.toLowerCase() === 'sips' ? 'sips' : 'sip', user, host, port };
}
