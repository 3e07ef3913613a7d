// Which calls of a trunk go to which trunks.
import { RE2JS } from 're2js';
import { z } from 'zod';
import { headerName } from './trunk-headers.js';
import { name } from './values.js';

/** A pattern of RE2: no look-around, no back-references, and so no number or header that it takes long to match. */
const pattern = z
  .string()
  .min(1)
  .max(256)
  .superRefine((text, context) => {
    try {
      RE2JS.compile(text);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      context.addIssue({ code: 'custom', message: `must be a regular expression of RE2: ${why}` });
    }
  });

const someDigits = z.string().regex(/^(\+|\+?[\d*#]{1,32})$/, 'must be digits, with * and #, a + before');

const numberMatchSchema = z
  .strictObject({
    prefix: someDigits.optional(),
    exact: someDigits.optional(),
    regex: pattern.optional().describe('matches the whole number'),
  })
  .refine((match) => Object.values(match).filter((value) => value !== undefined).length === 1, {
    message: 'needs one of prefix, exact and regex',
  })
  .describe('the number as it is dialled, or in E.164 with its +: either may match');

export const routeSchema = z.strictObject({
  called: numberMatchSchema.optional(),
  calling: numberMatchSchema.optional(),
  header: z
    .strictObject({
      name: headerName,
      matches: pattern.describe('found anywhere in the value'),
    })
    .optional(),
  to: z
    .union([name, z.array(name).min(1).max(16)], { error: 'must be the name of a trunk, or a list of names' })
    .transform((to) => [to].flat())
    .describe('trunks, in the order in which they are tried'),
});
