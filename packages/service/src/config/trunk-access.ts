// How a trunk proves who it is, and how we prove to it who we are: keys of `trunks:` that name secrets.
import { z } from 'zod';
import { file } from './values.js';

// In a quoted string of SIP anything but a line end could stand; a name that needs more than this is a slip of the keyboard.
const visible = z.string().regex(/^[\x20-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters');

export const digestSchema = z
  .strictObject({
    realm: visible.describe('what callers are told they log in to; often the domain'),
    algorithms: z
      .array(z.enum(['SHA-512-256', 'SHA-256', 'MD5']))
      .min(1)
      .optional()
      .describe('what is offered, the strongest first whatever the order here; default SHA-256 and MD5'),
    users: z.array(z.strictObject({ username: visible, passwordFile: file })).min(1),
  })
  .describe('who calls in proves itself (RFC 8760); without peers, from any address');

export const credentialsSchema = z
  .strictObject({
    username: visible,
    passwordFile: file,
    realm: visible.optional().describe('only challenges of this realm are answered; default: those of every target'),
  })
  .describe('with what challenges of the targets are answered');
