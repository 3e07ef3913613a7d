// The requests of the example recording as they go on the wire, and a recorder's answer. For tests only.
import type { RecorderProfile } from '../recorder-profile.js';
import { byeBody, initialBody } from '../recording-body.js';
import { byeHeaders, type HeaderField, inviteHeaders, recordingContact } from '../recording-headers.js';
import { crypto, exampleOffer, exampleRecording, stopTime } from './example-recording.js';

const account = { accountId: 'AC0123' };

/** An INVITE; `change` may alter its SDP and the whole, and Content-Length is counted afterwards. */
export function exampleInvite(
  profile: RecorderProfile,
  change: { sdp?: (sdp: string) => string; message?: (text: string) => string; version?: number } = {},
): Buffer {
  const { sdp = (text) => text, message, version = 1 } = change;
  const scheme = profile.defaultScheme;
  const { contentType, body } = initialBody({
    model: exampleRecording(),
    offerSdp: sdp(exampleOffer({ profile, version })),
    profile,
    newBoundary: () => 'b=1',
  });
  const headers: HeaderField[] = [
    ['Contact', recordingContact(profile, { scheme, user: 'SRC', host: '192.0.2.10', port: 40123 })],
    ...inviteHeaders(profile, account),
    ['Content-Type', contentType],
  ];
  return request('INVITE', profile, headers, body.toString(), message);
}

/** A BYE with metadata. */
export function exampleBye(profile: RecorderProfile, message?: (text: string) => string): Buffer {
  const { contentType, body } = byeBody({ model: exampleRecording(), profile, stopTime, newBoundary: () => 'b=1' });
  const headers: HeaderField[] = [...byeHeaders(profile, account), ['Content-Type', contentType]];
  return request('BYE', profile, headers, body.toString(), message);
}

const answeredStream = (port: number, key: number): string[] => [
  `m=audio ${port} RTP/SAVP 0 101`,
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  `a=crypto:${crypto(key)}`,
  'a=recvonly',
];

/** The 200 of a recorder to `exampleInvite`. */
export function exampleAnswer(change: (text: string) => string = (text) => text): Buffer {
  const sdp = ['v=0', 'o=srs 9 9 IN IP4 198.51.100.7', 's=srs', 'c=IN IP4 198.51.100.7', 't=0 0'];
  const lines = [
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/TLS 192.0.2.10:40123;branch=z9hG4bK-1;rport',
    'From: <sip:SRC@sbc.example>;tag=ours',
    'To: <sip:SRS@srs.example>;tag=theirs',
    'Call-ID: 0123456789abcdef0123456789abcdef',
    'CSeq: 1 INVITE',
    'Contact: <sip:SRS@198.51.100.7:5061;transport=tls>;+sip.srs',
    'Content-Type: application/sdp',
    '',
    ...sdp,
    ...answeredStream(34_372, 11),
    ...answeredStream(53_592, 12),
    '',
  ];
  return counted(change(lines.join('\r\n')));
}

function request(
  method: 'INVITE' | 'BYE',
  profile: RecorderProfile,
  headers: readonly HeaderField[],
  body: string,
  change: (text: string) => string = (text) => text,
): Buffer {
  const uri = profile.uri({ scheme: profile.defaultScheme, user: 'SRS', host: 'srs.example', port: 5061 });
  const lines = [
    `${method} ${uri} SIP/2.0`,
    'Via: SIP/2.0/TLS 192.0.2.10:40123;branch=z9hG4bK-1;rport',
    'Max-Forwards: 70',
    'From: <sip:SRC@sbc.example>;tag=ours',
    `To: <${uri}>${method === 'BYE' ? ';tag=theirs' : ''}`,
    'Call-ID: 0123456789abcdef0123456789abcdef',
    `CSeq: 1 ${method}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return counted(change(`${lines.join('\r\n')}\r\n\r\n${body}`));
}

/** Puts Content-Length at the end of the header, unless there is one. */
export function counted(text: string): Buffer {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1 || /^Content-Length:/im.test(text.slice(0, end))) return Buffer.from(text);
  const length = Buffer.byteLength(text.slice(end + 4));
  return Buffer.from(`${text.slice(0, end)}\r\nContent-Length: ${length}${text.slice(end)}`);
}
