// Check `clock`: against those who have one and tell it, Entra and issuers. Tokens and certificates are judged by it.
import { readFileSync } from 'node:fs';
import { httpGet } from '@sidestream/service';
import { type Check, type Finding, fail, ok, type Probe, skipped, warn } from './check.js';
import type { Examined } from './examined.js';
import { reasonOf } from './reason.js';

/** Date tells whole seconds, and the way takes its time. */
const warnFromMs = 5_000;
/** Tokens are taken with so much tolerance. */
const failFromMs = 30_000;

export const clockCheck: Check = {
  name: 'clock',
  about: 'this clock agrees with the provider’s and the issuers’',
  probes: (examined) =>
    [...clocks(examined)].map(
      ([url, trustFile]): Probe => ({
        where: new URL(url).origin,
        todo: 'set the clock: run chrony or systemd-timesyncd',
        atDeadline: 'skipped',
        run: async (signal) => {
          const where = new URL(url).origin;
          try {
            const { aheadMs } = await httpGet(url, signal, trustFile && readFileSync(trustFile, 'utf8'));
            return [aheadMs === undefined ? skipped(where, 'it tells no time') : judgeClock(where, aheadMs)];
          } catch (error) {
            // That it is not there is told by provider or issuers.
            return [skipped(where, `it can't be asked: ${reasonOf(error)}`)];
          }
        },
      }),
    ),
};

/** @param aheadMs how far our clock is ahead; negative: behind */
export function judgeClock(where: string, aheadMs: number): Finding {
  const apart = Math.abs(aheadMs);
  if (apart < warnFromMs) return ok(where, 'agrees within five seconds');
  const what = `this clock is ${Math.round(apart / 1_000)} s ${aheadMs > 0 ? 'ahead' : 'behind'}`;
  const todo = 'set the clock: run chrony or systemd-timesyncd';
  return apart < failFromMs ? warn(where, what, todo) : fail(where, `${what}: tokens are refused`, todo);
}

/** A URL of each origin, with the authorities to trust. */
function clocks({ tenants, config }: Examined): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const [, { provider }] of tenants) if (provider) found.set(`${provider.authority}/`, provider.trustFile);
  for (const { issuer, trustFile } of config.gateway?.issuers ?? []) found.set(`${new URL(issuer).origin}/`, trustFile);
  return found;
}
