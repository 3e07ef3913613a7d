// How a trunk proves who it is, and how we prove to it who we are: keys of `trunks:` that name secrets.
import { z } from 'zod';
import { sipTarget } from './trunk-targets.js';
import { duration, file } from './values.js';

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

export const registerSchema = z
  .strictObject({
    registrar: z
      .union([sipTarget, z.array(sipTarget).min(1).max(8)], { error: 'must be sip:host[:port], or a list of such' })
      .transform((one) => [one].flat())
      .describe('where to register; the next one of a list when one is away'),
    user: z.string().regex(/^[\w.+~!*'()-]{1,64}$/, 'must be the user part of a SIP address'),
    domain: z
      .string()
      .regex(/^[\w.-]{1,253}$/, 'must be a host name')
      .optional()
      .describe("of the address that is registered; the first registrar's host unless told"),
    expires: duration(60_000, 86_400_000).prefault('1h').describe('what is asked for; the registrar may give less'),
  })
  .transform(({ expires, ...rest }) => ({ ...rest, expiresSeconds: Math.round(expires / 1_000) }))
  .describe('where this trunk wants to be told under which address calls reach us (RFC 3261 §10)');

export const certificateNamesSchema = z
  .array(
    z
      .string()
      .regex(/^(sip:)?[A-Za-z0-9.-]{1,253}$/, 'must be a host name or sip:host')
      .transform((text) => text.replace(/^sip:/, '').toLowerCase()),
  )
  .default([])
  .describe(
    'who calls in over TLS with a certificate of one of these names is this trunk, and nobody else is (RFC 5922)',
  );
