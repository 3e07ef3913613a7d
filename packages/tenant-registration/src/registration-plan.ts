// What would be sent to the provider for a tenant, and what speaks against it. Pure: the files' contents come in.
import { BlockList, isIP } from 'node:net';
import { namesOf } from './distinguished-name.js';
import { type NameForm, writeName } from './name-form.js';
import { checkIdentity, type Finding, type RecorderIdentity, readIdentity } from './recorder-identity.js';
import {
  contentHash,
  documentedBody,
  type JsonObject,
  leafDigests,
  mergePatch,
  parseTemplate,
} from './registration-body.js';

/** What the configuration says of a tenant's registration. */
export interface TenantSettings {
  readonly organizationId: string;
  readonly accountId: string;
  readonly hosting: 'cloud' | 'on-premises';
  readonly displayName: string;
  readonly sourceIpNetwork: string;
  readonly certificateForm: NameForm;
  /** Where the registration goes and as whom; a change of it calls for a new registration. */
  readonly apiBaseUrl: string;
  readonly authority: string;
  readonly entraTenantId: string;
  readonly clientId: string;
}

/** The tenant's part of a configuration, as far as it matters here. */
interface ConfiguredTenant {
  readonly organizationId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly provider?:
    | (Omit<TenantSettings, 'organizationId' | 'accountId'> & { readonly register: boolean })
    | undefined;
}

/** Contents of the files that a registration is made of. */
export interface TenantMaterial {
  readonly certificate: string;
  readonly key: string;
  /** JSON that replaces or extends keys of the body. */
  readonly template?: string;
}

/** The registration that the configuration and the files ask for. */
export interface RegistrationPlan {
  readonly url: string;
  /** Absent when it can't be made; `findings` says why. */
  readonly body?: JsonObject;
  /** SHA-256 of body and destination; empty without a body. */
  readonly contentHash: string;
  /** A digest of each key of the body and of the destination, by its path. */
  readonly digests: Readonly<Record<string, string>>;
  readonly identity?: RecorderIdentity;
  readonly findings: readonly Finding[];
}

/** What a configuration says of a tenant's registration; undefined when the tenant is not to be registered by us. */
export function tenantSettings({ organizationId, accountId, provider }: ConfiguredTenant): TenantSettings | undefined {
  if (provider?.register !== true || organizationId === undefined || accountId === undefined) return undefined;
  return { ...provider, organizationId, accountId };
}

/** Makes the plan; never throws: what is wrong is in its findings. */
export function planRegistration(settings: TenantSettings, material: TenantMaterial, now: Date): RegistrationPlan {
  const url = `${settings.apiBaseUrl}/api/v1.0/providers/tenants`;
  const findings: Finding[] = [...sourceFindings(settings.sourceIpNetwork)];
  const fault = (code: string, text: string) => findings.push({ severity: 'error', code, text });
  let identity: RecorderIdentity;
  try {
    identity = readIdentity(material.certificate);
  } catch (error) {
    fault('certificate-unreadable', `certFile: ${reason(error)}`);
    return { url, contentHash: '', digests: {}, findings };
  }
  findings.push(...checkIdentity(identity, material.key, now));
  const body = bodyOf(settings, identity, material.template, fault);
  if (body === undefined) return { url, contentHash: '', digests: {}, identity, findings };
  const { authority, entraTenantId, clientId } = settings;
  const destination = { url, authority, entraTenantId, clientId };
  return {
    url,
    body,
    contentHash: contentHash({ body, destination }),
    digests: { ...leafDigests(body), ...leafDigests(destination, 'provider ') },
    identity,
    findings,
  };
}

/** A plan for files that could not even be read. */
export function unreadablePlan(settings: TenantSettings, text: string): RegistrationPlan {
  const findings: Finding[] = [{ severity: 'error', code: 'files-unreadable', text }];
  return { url: `${settings.apiBaseUrl}/api/v1.0/providers/tenants`, contentHash: '', digests: {}, findings };
}

/** What forbids registering, as one sentence; undefined when nothing does. */
export function obstacle({ findings }: RegistrationPlan): string | undefined {
  const errors = findings.filter(({ severity }) => severity === 'error').map(({ text }) => text);
  return errors.length > 0 ? errors.join('; ') : undefined;
}

function bodyOf(
  settings: TenantSettings,
  identity: RecorderIdentity,
  template: string | undefined,
  fault: (code: string, text: string) => void,
): JsonObject | undefined {
  const { subject, issuer } = namesOf(identity.certificate.raw);
  const { certificateForm: form } = settings;
  const written = { subject: writeName(subject, form), issuer: writeName(issuer, form) };
  for (const [whose, name] of Object.entries(written)) {
    if (name === undefined)
      fault('name-missing', `the certificate's ${whose} has no ${form === 'cn' ? 'common name' : 'name'}`);
  }
  if (written.subject === undefined || written.issuer === undefined) return undefined;
  const body = documentedBody({
    ...settings,
    certificateSubjectName: written.subject,
    certificateIssuer: written.issuer,
  });
  if (template === undefined) return body;
  try {
    return mergePatch(body, parseTemplate(template));
  } catch (error) {
    fault('template-unusable', `bodyTemplateFile: ${reason(error)}`);
    return undefined;
  }
}

const notPublic = new BlockList();
for (const [network, length] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
] as const) {
  notPublic.addSubnet(network, length);
}
notPublic.addSubnet('fc00::', 7, 'ipv6');
notPublic.addSubnet('fe80::', 10, 'ipv6');
notPublic.addAddress('::1', 'ipv6');

/** Whether an address may be one that the world sees: not one of a private network, of this machine or of a link. */
export function isPublicAddress(address: string): boolean {
  return !notPublic.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** The documentation speaks of an IP address, and of 0.0.0.0 for any; whatever else is passed on as it is. */
function* sourceFindings(network: string): Generator<Finding> {
  const [address = '', length] = network.split('/');
  if (length !== undefined) {
    yield {
      severity: 'warning',
      code: 'source-network-undocumented',
      text: `sourceIpNetwork ${network}: only a single address, or 0.0.0.0 for any, is documented; the provider may refuse or ignore it`,
    };
  }
  if (!isPublicAddress(address)) {
    yield {
      severity: 'warning',
      code: 'source-network-not-public',
      text: `sourceIpNetwork ${network} is no public address: recorders see the one that we have behind NAT`,
    };
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
