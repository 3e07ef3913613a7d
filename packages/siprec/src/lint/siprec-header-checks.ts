// The header fields that make a request one of a recording session (RFC 7866 §6.1.1), and what a profile wants besides.
import { type NameAddr, parseNameAddr, parseUri, SipError, type SipUri, splitList } from '@sidestream/sip';
import type { RecorderProfile } from '../recorder-profile.js';
import { quoted } from '../siprec-error.js';
import type { Report } from './finding.js';
import { readable } from './header-checks.js';
import type { RequestKind } from './lint-options.js';
import type { WireMessage } from './wire-message.js';

export interface HeaderContext {
  readonly kind: RequestKind;
  readonly uri: string;
  readonly profile: RecorderProfile;
  readonly accountId: string | undefined;
}

/** Reports on Request-URI, Call-ID, Require, Supported, Contact, Accept, Allow and the account. */
export function checkSiprecFields(message: WireMessage, context: HeaderContext, report: Report): void {
  const { kind, profile } = context;
  const uri = readUri(message, context.uri, report);
  if (kind === 'INVITE' && profile.strict) checkDocumentedUri(message, uri, report);
  checkOptionTag(message, context, report);
  checkAccount(message, context, report);
  if (profile.strict && kind === 'INVITE' && !/^[0-9a-f]{32}$/.test(message.field('Call-ID')?.value ?? '')) {
    report({
      name: 'call-id',
      clause: `profile ${profile.name}`,
      place: message.placeOf('Call-ID'),
      text: 'the Call-ID is not 32 lower-case hexadecimal digits',
      cure: 'use 16 random bytes in hexadecimal without a host: the widget names the call by it',
    });
  }
  if (kind === 'BYE') return;
  checkContact(message, uri, context, report);
  if (kind === 'INVITE' || kind === 're-INVITE') checkCapabilities(message, report);
}

function readUri(message: WireMessage, text: string, report: Report): SipUri | undefined {
  try {
    const uri = parseUri(text);
    if (uri.scheme === 'sip' || uri.scheme === 'sips') return uri;
  } catch (error) {
    if (!(error instanceof SipError)) throw error;
  }
  report({
    name: 'request-uri',
    clause: 'RFC 3261 §8.1.1.1',
    place: message.placeOf('Request-URI'),
    text: `the Request-URI ${quoted(text)} is no SIP URI`,
    cure: 'write sip:user@host:port or sips:user@host:port',
  });
  return undefined;
}

function checkDocumentedUri(message: WireMessage, uri: SipUri | undefined, report: Report): void {
  const finding = (text: string, cure: string) =>
    report({ name: 'request-uri', clause: 'profile dynamics365', place: message.placeOf('Request-URI'), text, cure });
  if (uri === undefined) return;
  if (uri.user !== 'SRS') finding(`the user of the Request-URI is ${quoted(uri.user ?? '')}`, 'write sip:SRS@…');
  if (uri.scheme === 'sip' && uri.parameters.get('transport')?.toLowerCase() !== 'tls') {
    finding('the Request-URI has no transport=tls', 'add ;transport=tls, which this recorder documents');
  }
}

function checkOptionTag(message: WireMessage, { kind, profile }: HeaderContext, report: Report): void {
  const tags = (name: string) => message.all(name).flatMap(({ value }) => splitList(value.toLowerCase()));
  if (!tags('Require').includes('siprec') && (kind === 'INVITE' || profile.strict)) {
    report({
      name: 'require-siprec',
      clause: kind === 'INVITE' ? 'RFC 7866 §6.1.1' : `profile ${profile.name}`,
      place: message.placeOf('Require'),
      text: 'there is no Require: siprec',
      cure: 'add Require: siprec, so that whoever is no recorder answers 420',
    });
  }
  if (tags('Supported').includes('siprec')) {
    report({
      severity: 'warning',
      name: 'supported-siprec',
      clause: 'RFC 7866 §11.1.1',
      place: message.placeOf('Supported'),
      text: 'siprec stands in Supported',
      cure: 'siprec belongs into Require only',
    });
  }
}

function checkAccount(message: WireMessage, { profile, accountId }: HeaderContext, report: Report): void {
  const { accountHeader, name } = profile;
  if (accountHeader === undefined) return;
  const account = message.field(accountHeader)?.value;
  if (account !== undefined && (accountId === undefined || account === accountId)) return;
  report({
    name: 'account-id',
    clause: `profile ${name}`,
    place: message.placeOf(accountHeader),
    text:
      account === undefined
        ? `there is no ${accountHeader}`
        : `${accountHeader} is ${quoted(account)}, and ${quoted(accountId ?? '')} is expected`,
    cure: `send ${accountHeader} with the account id of the registration in every request`,
  });
}

function checkContact(
  message: WireMessage,
  uri: SipUri | undefined,
  { kind, profile }: HeaderContext,
  report: Report,
): void {
  const field = message.field('Contact');
  const contacts = message
    .all('Contact')
    .flatMap(
      (each) => readable(each, (value) => splitList(value).map((one) => parseNameAddr(one, 'Contact')), report) ?? [],
    );
  // A recorder's UPDATE asks for a snapshot (RFC 7866 §9.2).
  const isRecorder = kind === 'UPDATE' && contacts.some(({ parameters }) => parameters.has('+sip.srs'));
  if (!isRecorder && !contacts.some(({ parameters }) => parameters.has('+sip.src'))) {
    report({
      name: 'contact-sip-src',
      clause: 'RFC 7866 §6.1.1',
      place: message.placeOf('Contact'),
      text: contactFault(field?.value.slice(0, 500)),
      cure: 'write Contact: <sip:…>;+sip.src, the feature tag behind the brackets (RFC 3840 §9)',
    });
  }
  const contact = sipUriOf(contacts[0]);
  if (profile.strict) return;
  for (const [path, checked] of [
    ['Request-URI', uri],
    ['Contact', contact],
  ] as const) {
    if (checked?.parameters.get('transport')?.toLowerCase() !== 'tls') continue;
    report({
      severity: 'warning',
      name: 'uri-transport',
      clause: path === 'Contact' ? 'RFC 5630 §5.1.1.2' : 'RFC 5630 §5.1.1',
      place: message.placeOf(path),
      text: `the ${path} has transport=tls, which RFC 5630 forbids`,
      cure: 'say sips:, or leave the parameter out',
    });
  }
  if (kind !== 'INVITE' || uri === undefined || contact === undefined || contact.scheme === uri.scheme) return;
  if (message.field('Route') !== undefined) return;
  report({
    name: 'contact-scheme',
    clause: uri.scheme === 'sips' ? 'RFC 3261 §8.1.1.8' : 'RFC 5630 §5.1.1.2',
    place: message.placeOf('Contact'),
    text: `the Contact is a ${contact.scheme} URI and the Request-URI a ${uri.scheme} one`,
    cure: `write the Contact with ${uri.scheme}: as well`,
  });
}

function contactFault(value: string | undefined): string {
  if (value === undefined) return 'there is no Contact, and so no +sip.src';
  if (/<[^>]*;\+sip\.src[^>]*>/i.test(value))
    return '+sip.src stands inside the brackets, where it is a parameter of the URI';
  if (/>\s*;\s*src\b/i.test(value)) return 'the Contact has src, the feature tag of a draft, and not +sip.src';
  return 'no Contact has the feature tag +sip.src';
}

function sipUriOf(address: NameAddr | undefined): SipUri | undefined {
  try {
    return address === undefined ? undefined : parseUri(address.uri);
  } catch (error) {
    if (error instanceof SipError) return undefined;
    throw error;
  }
}

/** A recorder asks for a snapshot by an UPDATE with metadata (RFC 7866 §9.2): the client has to say that it takes both. */
function checkCapabilities(message: WireMessage, report: Report): void {
  const accepted = message.all('Accept').flatMap(({ value }) => splitList(value.toLowerCase()));
  if (
    !accepted.some((type) => /^(application\/rs-metadata(\+xml|-request)?|application\/\*|\*\/\*)\s*(;|$)/.test(type))
  ) {
    report({
      severity: 'warning',
      name: 'accept-metadata',
      clause: 'RFC 7866 §9.1',
      place: message.placeOf('Accept'),
      text: 'Accept does not name the metadata, so a recorder may not ask for a snapshot',
      cure: 'write Accept: application/sdp, application/rs-metadata+xml',
    });
  }
  const allowed = message.all('Allow').flatMap(({ value }) => splitList(value.toUpperCase()));
  if (!allowed.includes('UPDATE')) {
    report({
      severity: 'warning',
      name: 'allow-update',
      clause: 'RFC 7866 §9.2',
      place: message.placeOf('Allow'),
      text: 'Allow does not name UPDATE, by which a recorder asks for a snapshot',
      cure: 'support UPDATE (RFC 3311) and name it in Allow',
    });
  }
}
