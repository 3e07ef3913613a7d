// The number plan of a trunk.
import { isSupportedCountry } from 'libphonenumber-js/min';
import { z } from 'zod';

const digits = z.string().regex(/^\+?[\d*#]{0,20}$/, 'must be up to 20 digits, with * and #, a + before');

export const numbersSchema = z
  .strictObject({
    defaultCountry: z
      .string()
      .refine(isSupportedCountry, 'must be a country of ISO 3166 whose numbers are known, such as DE')
      .optional()
      .describe('whose national numbers come from this trunk, and go to it with format national'),
    incoming: z
      .strictObject({
        strip: digits.default('').describe('taken off the front of called numbers that come from it'),
        prefix: digits.default('').describe('then put before those that do not begin with +'),
      })
      .prefault({}),
    outgoing: z
      .strictObject({
        format: z
          .enum(['as-is', 'e164', 'digits', 'national'])
          .default('as-is')
          .describe('how numbers are written for it; digits: E.164 without the +'),
        prefix: digits.default('').describe('then put before called numbers'),
      })
      .prefault({}),
  })
  .refine(({ defaultCountry, outgoing }) => outgoing.format !== 'national' || defaultCountry !== undefined, {
    path: ['defaultCountry'],
    message: 'is needed by outgoing.format national',
  })
  .prefault({});
