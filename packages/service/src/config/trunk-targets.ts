// Where calls to a trunk go: its targets, when they are given up, how they are watched.
import { z } from 'zod';
import { duration } from './values.js';

export const sipTarget = z
  .string()
  .regex(/^sips?:[^\s;?<>@]+(;transport=(udp|tcp|tls))?$/, 'must be sip:host[:port][;transport=udp|tcp|tls]');

const share = z.int().min(0).max(65_535);
const targetSchema = z.union(
  [
    sipTarget,
    z.strictObject({
      uri: sipTarget,
      priority: share.optional().describe('lower ones are tried first; its place in the list, from 0, unless told'),
      weight: share.default(1).describe('share of the calls among those of the same priority'),
    }),
  ],
  { error: 'must be sip:host[:port][;transport=udp|tcp|tls] or {uri, priority, weight}' },
);

export const targetsSchema = z
  .array(targetSchema)
  .max(64)
  .default([])
  .transform((list) =>
    list.map((item, place) => {
      const { uri, priority = place, weight } = typeof item === 'string' ? { uri: item, weight: 1 } : item;
      return { uri, priority, weight };
    }),
  );

/** Answers that are the called party's, or for us alone: another target would not change them. */
const neverAgain = [401, 407, 486, 487, 491];

export const failoverSchema = z
  .strictObject({
    statuses: z
      .array(
        z
          .int()
          .min(400)
          .max(599)
          .refine((status) => !neverAgain.includes(status), `must not be one of ${neverAgain.join(', ')}`),
      )
      .default([408, 500, 502, 503, 504])
      .describe('refusals after which the next target is tried, as long as nothing has rung'),
    timeout: duration(500, 180_000)
      .prefault('10s')
      .describe('how long a target may say nothing before the next one is tried; 100 Trying does not count'),
  })
  .transform(({ statuses, timeout }) => ({ statuses, timeoutMs: timeout }))
  .prefault({});

export const keepaliveSchema = z
  .union(
    [
      z.literal('off'),
      z.strictObject({
        interval: duration(1_000, 3_600_000).prefault('30s'),
        failures: z.int().min(1).max(10).default(2),
      }),
    ],
    { error: "must be 'off' or {interval, failures}: an interval from 1s to 1h, 1 to 10 failures" },
  )
  .default('off')
  .transform((value) => (value === 'off' ? undefined : { intervalMs: value.interval, failures: value.failures }))
  .describe('OPTIONS to each target; one that fails to answer so many in a row is tried last');
