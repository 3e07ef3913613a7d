// The deployment under examination: its configuration, narrowed to a tenant if one was named, and what several checks ask alike.
import { isIP } from 'node:net';
import { ConfigError, type SidestreamConfig, type TenantConfig, type TrunkConfig } from '@sidestream/service';
import { systemLookup } from '@sidestream/sip';
import { type CheckName, type Finding, skipped } from './check.js';

export interface ExaminedOptions {
  /** sidestream.yaml */
  readonly file: string;
  readonly config: SidestreamConfig;
  /** Which checks run. */
  readonly names: readonly CheckName[];
  readonly tenant: string | undefined;
  /** For each probe. */
  readonly timeoutMs: number;
}

export class Examined {
  readonly file: string;
  readonly config: SidestreamConfig;
  readonly timeoutMs: number;
  readonly tenants: readonly (readonly [name: string, tenant: TenantConfig])[];
  readonly trunks: readonly (readonly [name: string, trunk: TrunkConfig])[];
  readonly #names: ReadonlySet<CheckName>;

  /** @throws ConfigError for a tenant that is not there */
  constructor({ file, config, names, tenant, timeoutMs }: ExaminedOptions) {
    if (tenant !== undefined && !Object.hasOwn(config.tenants, tenant))
      throw new ConfigError(file, [{ path: `tenants.${tenant}`, message: 'is not there' }]);
    this.file = file;
    this.config = config;
    this.timeoutMs = timeoutMs;
    this.#names = new Set(names);
    const isWanted = (name: string) => tenant === undefined || name === tenant;
    this.tenants = Object.entries(config.tenants).filter(([name]) => isWanted(name));
    this.trunks = Object.entries(config.trunks).filter(([, { tenant: owner }]) => isWanted(owner));
  }

  /** The addresses of a name, as everything here finds them. Rejects where there are none. */
  async addressesOf(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const found = await systemLookup(host);
    if (found.length === 0) throw new Error('the name has no address');
    return found;
  }

  /** What is wrong shows once, where it is wrong: the finding for who would fail because of it, if that check runs. */
  blames(culprit: CheckName, where: string, what: string): Finding | undefined {
    return this.#names.has(culprit) ? skipped(where, `${what}: see ${culprit}`) : undefined;
  }

  /** Undefined: the name is found, or it is the asker's to say that it isn't. */
  async blamesName(host: string, where: string): Promise<Finding | undefined> {
    try {
      await this.addressesOf(host);
      return undefined;
    } catch {
      return this.blames('dns', where, `the name ${host} is not found`);
    }
  }
}
