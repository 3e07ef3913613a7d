// The kinds of values that several sections of sidestream.yaml have.
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseHostPort } from '../address.js';

export const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes');
export const file = z.string().min(1).describe('path of a file, relative to the configuration file');

/** `host:port`; port 0 lets the system choose where that makes sense. */
export const hostPort = z.string().refine((text) => {
  try {
    parseHostPort(text);
    return true;
  } catch {
    return false;
  }
}, 'must be host:port');

export const cidr = z.string().refine((text) => {
  const [address = '', length, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128));
}, 'must be an IP address or address/prefix-length');

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time such as 500ms, 30s, 5m, 24h or 7d; milliseconds in the result. */
export function duration(minMs: number, maxMs: number) {
  const inMs = (text: string) => {
    const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
    return Number(count) * (unitsMs[unit ?? ''] ?? Number.NaN);
  };
  return z
    .string()
    .refine((text) => inMs(text) >= minMs && inMs(text) <= maxMs, {
      message: `must be a time from ${minMs} ms to ${maxMs} ms: 30s, 5m, 24h`,
      abort: true,
    })
    .transform(inMs);
}
