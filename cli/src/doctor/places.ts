// Where a configuration leads to: recorders, NATS servers, SIP targets, the provider, issuers. With the key that says so.
import { recordersOf, type TenantConfig, type TrunkConfig } from '@sidestream/service';
import { parseUri, type TransportProtocol } from '@sidestream/sip';
import { type RecorderAddress, recorderProfiles, resolveRecorder } from '@sidestream/siprec';
import type { Examined } from './examined.js';

export interface RecorderPlace extends RecorderAddress {
  readonly tenantName: string;
  readonly tenant: TenantConfig;
  /** For people: `recorder.example:5061 (tenant contoso)`. */
  readonly where: string;
}

/** Every recorder that a recording may go to, once for each tenant. Those of tenants that record nothing are left out. */
export function recorderPlaces({ tenants, config }: Examined): RecorderPlace[] {
  return tenants.flatMap(([tenantName, tenant]) =>
    (tenant.recording.enabled ? recordersOf(tenant, config.regions) : []).map(({ recorder }) => {
      const address = resolveRecorder(recorder, recorderProfiles[tenant.recording.profile]);
      const where = `${address.host}:${address.port} (tenant ${tenantName})`;
      return { ...address, tenantName, tenant, where };
    }),
  );
}

export interface SipPlace {
  readonly key: string;
  readonly uri: string;
  readonly trunk: TrunkConfig;
  readonly protocol: TransportProtocol;
  readonly host: string;
  /** Undefined: DNS tells (RFC 3263 §4.2), else the usual one. */
  readonly port: number | undefined;
}

/** The targets of trunks. */
export function targetPlaces({ trunks }: Examined): SipPlace[] {
  return trunks.flatMap(([name, trunk]) =>
    trunk.targets.map(({ uri }, index) => sipPlace(`trunks.${name}.targets.${index}`, uri, trunk)),
  );
}

/** Where trunks register. */
export function registrarPlaces({ trunks }: Examined): SipPlace[] {
  return trunks.flatMap(([name, trunk]) =>
    (trunk.register?.registrar ?? []).map((uri, index) =>
      sipPlace(`trunks.${name}.register.registrar.${index}`, uri, trunk),
    ),
  );
}

function sipPlace(key: string, uri: string, trunk: TrunkConfig): SipPlace {
  const { scheme, host, port, parameters } = parseUri(uri);
  const named = parameters.get('transport');
  const isNamed = named === 'udp' || named === 'tcp' || named === 'tls';
  const protocol = scheme === 'sips' ? 'tls' : isNamed ? named : trunk.transport;
  return { key, uri, trunk, protocol, host: host.replace(/^\[|\]$/g, ''), port };
}

export interface NatsPlace {
  readonly key: string;
  readonly server: string;
  readonly host: string;
}

export function natsPlaces({ config }: Examined): NatsPlace[] {
  return config.nats.servers.map((server, index) => ({
    key: `nats.servers.${index}`,
    server,
    host: new URL(server.replace(/^\w+:/, 'http:')).hostname.replace(/^\[|\]$/g, ''),
  }));
}

/** A name or address in a URL. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}
