// `recorders:` of a region or tenant: an ordered list, in which a list stands for equals and an entry may have a cap.
import { z } from 'zod';

const uri = z
  .string()
  .regex(/^([a-z]+|sips?:[^\s<>]+)$/, 'must be the name of a documented endpoint (e.g. eastus) or a sip:/sips: URI');
const limited = z.strictObject({
  uri,
  maxSessions: z
    .int()
    .min(1)
    .max(100_000)
    .describe('recordings that one instance of signalling may have there at a time'),
});
const entry = z.union([uri, limited]);

/** One recorder of a list. */
export interface RecorderPlace {
  /** Name of a documented endpoint, or a SIP URI. */
  readonly recorder: string;
  /** From 0; equals have the same. */
  readonly place: number;
  readonly maxSessions?: number;
}

/** For example `[eastus, [sip:a.example, { uri: sip:b.example, maxSessions: 200 }]]`; flat in the result. */
export const recorderListSchema = z
  .array(
    z.union([uri, limited, z.array(entry).min(1)], {
      error: 'must be a recorder, {uri, maxSessions}, or a list of equals',
    }),
  )
  .min(1)
  .transform((list) => list.flatMap(placed))
  .refine((places) => new Set(places.map(({ recorder }) => recorder)).size === places.length, 'names a recorder twice');

/** A tenant's own list, which is the whole list then: a recording never leaves it; else that of its region. */
export function recordersOf(
  tenant: { readonly region: string; readonly recorders?: readonly RecorderPlace[] | undefined },
  regions: Readonly<Record<string, { readonly recorders: readonly RecorderPlace[] }>>,
): readonly RecorderPlace[] {
  return tenant.recorders ?? regions[tenant.region]?.recorders ?? [];
}

type Entry = z.output<typeof entry>;

function placed(item: Entry | Entry[], place: number): RecorderPlace[] {
  return [item]
    .flat()
    .map((one) =>
      typeof one === 'string' ? { recorder: one, place } : { recorder: one.uri, place, maxSessions: one.maxSessions },
    );
}
