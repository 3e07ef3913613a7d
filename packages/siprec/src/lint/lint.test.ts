import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMultipart } from '../mime/parse-multipart.js';
import { dynamics365, type RecorderProfile, rfc7866 } from '../recorder-profile.js';
import { exampleOffer } from '../testing/example-recording.js';
import { exampleBye, exampleInvite } from '../testing/example-request.js';
import { packageFile } from '../testing/package-file.js';
import { lint } from './lint.js';
import type { LintOptions } from './lint-options.js';

/** Findings as `line:column severity name`, or as names alone. */
const found = (bytes: Buffer, options: LintOptions = {}) => lint(bytes, options).findings;
const names = (bytes: Buffer, options: LintOptions = {}) => [...new Set(found(bytes, options).map(({ name }) => name))];

for (const profile of [dynamics365, rfc7866]) {
  test(`what we write for profile ${profile.name} is clean`, () => {
    assert.deepEqual(found(exampleInvite(profile), { profile }), []);
    assert.deepEqual(found(exampleBye(profile), { profile }), []);
    const { kind, offer, metadata } = lint(exampleInvite(profile), { profile });
    assert.equal(kind, 'INVITE');
    assert.equal(offer, exampleOffer({ profile }));
    assert.match(metadata ?? '', /^<\?xml/);
  });
}

test('golden documents are clean on their own', () => {
  for (const file of ['metadata-complete.xml', 'metadata-bye.xml']) {
    assert.deepEqual(lint(Buffer.from(packageFile(`golden/${file}`))), { kind: 'metadata', findings: [] });
  }
});

test('the documented sample has the faults that its keys, ids and addresses have', () => {
  const body = Buffer.from(packageFile('golden/documented-invite-body.txt').replace(/\n/g, '\r\n'));
  const [, metadata] = parseMultipart('multipart/mixed;boundary="----=_Part_1253_283419664.1674116473425"', body);
  assert.deepEqual(names(metadata?.body ?? body), ['metadata-aor']);
});

type Change = (text: string) => string;
const drop =
  (header: string): Change =>
  (text) =>
    text.replace(new RegExp(`^${header}:.*\r\n`, 'm'), '');
const swap =
  (from: string | RegExp, to: string): Change =>
  (text) => {
    const changed = text.replace(from, to);
    assert.notEqual(changed, text, `nothing to change: ${from}`);
    return changed;
  };

/** A changed INVITE, the one finding that it has, and where. */
type Deviation = readonly [name: string, clause: RegExp, path: RegExp, change: Change];
const invites: readonly Deviation[] = [
  ['header-missing', /3261 §8\.1\.1/, /header Max-Forwards/, drop('Max-Forwards')],
  ['header-repeated', /3261 §7\.3\.1/, /header CSeq/, swap('CSeq: 1', 'CSeq: 1 INVITE\r\nCSeq: 1')],
  ['header-malformed', /3261 §8\.1\.1\.3/, /header From/, swap(';tag=ours', '')],
  ['header-malformed', /3261 §8\.1\.1\.7/, /header Via/, swap('z9hG4bK', '')],
  ['header-malformed', /3261 §8\.1\.1\.5/, /header CSeq/, swap('CSeq: 1 INVITE', 'CSeq: 1 BYE')],
  ['header-malformed', /3261 §7\.3\.1/, /^header$/, swap('Max-Forwards', 'no colon\r\nMax-Forwards')],
  ['malformed-message', /3261/, /message/, swap('Max-Forwards: 70', 'Max-Forwards: many')],
  ['content-length', /3261 §18\.3/, /Content-Length/, swap('Accept', 'Content-Length: 7\r\nAccept')],
  ['call-id', /dynamics365/, /Call-ID/, swap('0123456789abcdef0123456789abcdef', 'a@b')],
  ['request-uri', /dynamics365/, /Request-URI/, swap('SRS@', 'rec@')],
  ['request-uri', /dynamics365/, /Request-URI/, swap(';transport=tls SIP', ' SIP')],
  ['request-uri', /3261 §8\.1\.1\.1/, /Request-URI/, swap(/sip:SRS@\S+/, 'tel:+1')],
  ['require-siprec', /7866 §6\.1\.1/, /Require/, drop('Require')],
  ['supported-siprec', /7866 §11\.1\.1/, /Supported/, swap('Require', 'Supported: timer, siprec\r\nRequire')],
  ['account-id', /dynamics365/, /X-AccountId/, drop('X-AccountId')],
  ['contact-sip-src', /7866 §6\.1\.1/, /Contact/, swap('>;+sip.src', ';+sip.src>')],
  ['contact-sip-src', /7866 §6\.1\.1/, /Contact/, swap('+sip.src', 'src')],
  ['contact-sip-src', /7866 §6\.1\.1/, /Contact/, drop('Contact')],
  ['accept-metadata', /7866 §9\.1/, /Accept/, swap(', application/rs-metadata+xml', '')],
  ['allow-update', /7866 §9\.2/, /Allow/, swap(', UPDATE', '')],
  ['session-timer', /4028 §5/, /Min-SE/, swap('Require', 'Min-SE: 35\r\nRequire')],
  ['body-type', /7866 §9\.1/, /Content-Type/, swap('multipart/mixed', 'multipart/related')],
  ['boundary-not-quoted', /2045 §5\.1/, /Content-Type/, swap('"b=1"', 'b=1')],
  ['multipart-malformed', /2046 §5\.1\.1/, /body/, swap('--b=1--\r\n', '')],
  [
    'part-repeated',
    /7866 §9\.1/,
    /part/,
    swap('--b=1--', '--b=1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b=1--'),
  ],
  [
    'part-handling',
    /5621 §8\.1/,
    /part/,
    swap('--b=1\r\n', '--b=1\r\nContent-Type: application/gtd\r\n\r\nx\r\n--b=1\r\n'),
  ],
  [
    'part-length',
    /2046/,
    /part/,
    swap('Content-Type: application/sdp', 'Content-Length: 9\r\nContent-Type: application/sdp'),
  ],
  ['metadata-type', /9806 §2/, /part/, swap('Type: application/rs-metadata+xml', 'Type: application/rs-metadata')],
  ['metadata-disposition', /7866 §9\.1/, /part/, swap('Content-Disposition: recording-session\r\n', '')],
  ['metadata-encoding', /7865 §5\.1/, /document/, swap(/<\?xml.*\?>\r\n/, '')],
  ['metadata-malformed', /7865 §5\.1/, /document/, swap('</session>', '</sesion>')],
  ['metadata-malformed', /7865 §5\.1/, /Parameter|name/, swap('&amp;', '&nbsp;')],
  ['metadata-element-unknown', /7865 §6\.1/, /dataMode/, swap(/datamode/g, 'dataMode')],
  [
    'metadata-element-order',
    /7865 §6\.3/,
    /start-time/,
    swap(/(<start-time>.*\r\n)([\s\S]*<\/ExtensionParameters>)/, '$2$1'),
  ],
  ['metadata-element-missing', /7865 §6\.5/, /participant\[1\]/, swap(/<nameID[\s\S]*?<\/nameID>/, '')],
  ['metadata-attribute-unknown', /7865 §6\.7/, /stream\[1\]/, swap('<stream ', '<stream mode="a" ')],
  ['metadata-text', /7865 §6\.1/, /recording/, swap('<participant ', 'x<participant ')],
  ['metadata-value', /7865 §6\.9/, /start-time/, swap('T09:15:00.250Z<', 't09:15:00.250Z<')],
  ['metadata-time', /7865 §6\.9/, /start-time/, swap('00.250Z<', '00.250<')],
  ['metadata-aor', /7865 §6\.5\.1/, /nameID/, swap('sip:+14255550123@carrier.example', 'EE5C7EF0')],
  [
    'metadata-id-duplicate',
    /7865 §6\.10/,
    /stream\[2\]/,
    swap(/AAAAAAAAQACAAAAAAAAABQ==/g, 'AAAAAAAAQACAAAAAAAAABA=='),
  ],
  [
    'metadata-associations',
    /7865 §6\.8/,
    /stream\[1\]/,
    swap(/<participantstreamassoc[\s\S]*?<\/participantstreamassoc>/, ''),
  ],
  ['metadata-associations', /7865 §6\.8/, /stream\[1\]/, swap(/<send>.*?<\/send>/, '')],
  ['metadata-reference', /7866 §9\.2/, /recv/, swap(/<recv>.*?</, '<recv>AAAAAAAAQACAAAAAAAAADw==<')],
  ['metadata-reference', /7865 §6\.10/, /recv/, swap(/<recv>.*?</, '<recv>AAAAAAAAQACAAAAAAAAAAQ==<')],
  ['metadata-labels', /7866 §9\.1/, /stream\[1\]\/label/, swap('<label>inbound', '<label>in')],
  ['metadata-datamode', /7866 §9\.1/, /datamode/, swap('complete', 'partial')],
  ['metadata-parameters', /dynamics365/, /session/, swap('name="Role"', 'name="role"')],
  ['metadata-parameters', /dynamics365/, /Parameter\[1\]/, swap('value="inbound"', 'value="in"')],
];
for (const [name, clause, path, change] of invites) {
  test(`INVITE: ${name} at ${path.source}, ${clause.source}`, () => {
    const [first, ...more] = found(exampleInvite(dynamics365, { message: change }));
    assert.ok(first, 'nothing is found');
    assert.deepEqual(
      more.map(({ name, text }) => [name, text]).filter(([other]) => other !== name),
      [],
      JSON.stringify(first),
    );
    assert.equal(first.name, name, first.text);
    assert.match(first.clause, clause);
    assert.match(first.place.path, path);
    assert.notEqual(first.cure, '');
  });
}

const [key = '', otherKey = ''] = exampleOffer().match(/(?<=inline:)\S+/g) ?? [];
const offers: readonly Deviation[] = [
  ['sdp-malformed', /4566 §5/, /o=/, swap('IN IP4 192.0.2.10\r\ns=', 'IN 192.0.2.10\r\ns=')],
  ['sdp-malformed', /4566 §5/, /SDP/, swap('s=-\r\n', '')],
  ['sdp-malformed', /4566 §5/, /c=/, swap('c=IN IP4 192.0.2.10\r\nt=0 0', 't=0 0\r\nc=IN IP4 192.0.2.10')],
  ['sdp-malformed', /4566 §5\.14/, /m-line 1/, swap('m=audio 30098', 'm=audio 99999')],
  ['line-ends', /4566 §5/, /SDP/, swap('s=-\r\n', 's=-\n')],
  ['stream-protocol', /dynamics365/, /m-line 1/, swap('RTP/SAVP', 'RTP/SAVPF')],
  ['stream-label', /4574 §4/, /m-line 2 a=label/, swap('a=label:outbound', 'a=label:out bound')],
  ['stream-direction', /7866 §7\.1\.1/, /m-line 1/, swap('a=sendonly', 'a=sendrecv')],
  ['stream-address', /4566 §5\.7/, /m-line 2/, swap('m=audio 30110 RTP/SAVP 0 8 101', '$&\r\nc=IN IP4 2001:db8::1')],
  ['stream-codecs', /dynamics365/, /m-line 1/, swap('0 8 101', '0')],
  ['stream-ptime', /dynamics365/, /m-line 1/, swap('a=ptime:20', 'a=ptime:30')],
  ['stream-rtcp-mux', /dynamics365/, /m-line 1 a=rtcp-mux/, swap('a=ptime:20', 'a=ptime:20\r\na=rtcp-mux')],
  ['stream-crypto', /4568 §5\.1\.1/, /m-line 1/, swap(/a=crypto.*\r\n/, '')],
  ['stream-crypto', /4568 §6\.1/, /m-line 1 a=crypto/, swap(key, key.slice(1))],
  ['stream-crypto', /4568 §6\.2/, /m-line 1 a=crypto/, swap('SHA1_80', 'SHA1_99')],
  ['stream-crypto', /dynamics365/, /m-line 1 a=crypto/, swap('SHA1_80', 'SHA1_32')],
  ['stream-crypto', /dynamics365/, /m-line 1 a=crypto/, swap(key, `${key}|2^31|1:1`)],
  ['stream-crypto', /7866 §12\.2/, /m-line 1 a=crypto/, swap(key, `${key} UNENCRYPTED_SRTP`)],
  ['stream-key-reused', /4568 §6\.1/, /m-line 2 a=crypto/, swap(otherKey, key)],
];
for (const [name, clause, path, sdp] of offers) {
  test(`offer: ${name} at ${path.source}, ${clause.source}`, () => {
    const findings = found(exampleInvite(dynamics365, { sdp }));
    // A label that is no token is not the one that the profile and the metadata have, either.
    const own = findings.filter((finding) => finding.name === name && clause.test(finding.clause));
    assert.equal(own.length, 1, JSON.stringify(findings));
    assert.match(own[0]?.place.path ?? '', path);
    const others = findings.filter((finding) => finding.name !== name && finding.name !== 'metadata-labels');
    assert.deepEqual(others, []);
  });
}

test('RFC 3264 §8: a new offer keeps the session id and all m-lines, and counts its version up by one', () => {
  const after = (sdp: (text: string) => string, version = 2) =>
    names(exampleInvite(dynamics365, { version, sdp, message: swap(/^To: (.*)$/m, 'To: $1;tag=theirs') }), {
      previousOffer: exampleOffer(),
    });
  assert.deepEqual(
    after((sdp) => sdp),
    [],
  );
  assert.deepEqual(
    after((sdp) => sdp, 9),
    ['sdp-version'],
  );
  assert.deepEqual(after(swap('1176539620', '7')), ['sdp-version']);
  assert.ok(after((sdp) => sdp.slice(0, sdp.lastIndexOf('m='))).includes('stream-count'));
});

test('RFC 7865 §6.8: a party on hold sends no stream, which only a later snapshot can say', () => {
  const held = swap(/<send>.*?<\/send>/, '');
  const later = swap(/^(To: .*)\r$/m, '$1;tag=theirs\r');
  assert.deepEqual(names(exampleInvite(dynamics365, { message: held })), ['metadata-associations']);
  assert.deepEqual(names(exampleInvite(dynamics365, { message: (text) => later(held(text)) })), []);
  const unsent = swap(/<participantstreamassoc[\s\S]*?<\/participantstreamassoc>/, '');
  assert.deepEqual(names(exampleInvite(dynamics365, { message: (text) => later(unsent(text)) })), [
    'metadata-associations',
  ]);
});

test('every finding has its line and column in the file', () => {
  const place = (change: Change, name: string) => {
    const bytes = exampleInvite(dynamics365, { message: change });
    const finding = found(bytes).find((each) => each.name === name);
    const { line = 0, column = 0 } = finding?.place ?? {};
    return bytes
      .toString()
      .split('\n')
      [line - 1]?.slice(column - 1)
      .trimEnd();
  };
  assert.equal(place(swap('Require', 'Min-SE: 9\r\nRequire'), 'session-timer'), 'Min-SE: 9');
  assert.equal(place(swap('a=ptime:20', 'a=ptime:20\r\na=rtcp-mux'), 'stream-rtcp-mux'), 'a=rtcp-mux');
  assert.equal(place(swap('<label>outbound', '<label>ö'), 'metadata-labels'), '<label>ö</label>');
  assert.equal(
    place(swap('Content-Disposition: recording-session\r\n', ''), 'metadata-disposition'),
    `Content-Type: ${rfc7866.metadataType}`,
  );
});

const bye = (profile: RecorderProfile, message: Change) =>
  found(exampleBye(profile, message), { profile }).map(({ name, severity }) => `${severity} ${name}`);

test('RFC 8068 §3.2.4: a BYE has partial metadata with the stop time, and RFC 7866 asks for none', () => {
  assert.deepEqual(bye(dynamics365, swap('partial', 'complete')).slice(0, 1), ['error metadata-datamode']);
  assert.deepEqual(bye(dynamics365, swap(/<stop-time>.*?<\/stop-time>/, '')), ['error metadata-stop-time']);
  assert.deepEqual(bye(rfc7866, swap(/<stop-time>.*?<\/stop-time>/, '')), ['warning metadata-stop-time']);
  const bare = (text: string) => drop('Content-Type')(text).replace(/\r\n\r\n[\s\S]*/, '\r\n\r\n');
  assert.deepEqual(bye(dynamics365, bare), ['error metadata-missing']);
  assert.deepEqual(bye(rfc7866, bare), []);
  assert.deepEqual(bye(rfc7866, drop('Require')), []);
});

test('RFC 7866 §9.1: where there is no offer there are no labels', () => {
  const stream = '<stream stream_id="AAAAAAAAQACAAAAAAAAABA=="><label>1</label></stream><sessionrecordingassoc ';
  assert.deepEqual(bye(rfc7866, swap('<sessionrecordingassoc ', stream)), ['error metadata-labels']);
});

test('profile rfc7866 leaves out what only Dynamics 365 wants, and holds URIs to RFC 5630', () => {
  assert.deepEqual(names(exampleInvite(dynamics365), { profile: rfc7866 }), ['uri-transport']);
  const scheme = exampleInvite(rfc7866, { message: swap('<sips:SRC', '<sip:SRC') });
  assert.deepEqual(names(scheme, { profile: rfc7866 }), ['contact-scheme']);
  assert.ok(names(exampleInvite(rfc7866)).includes('stream-label'));
});

test("RFC 7866 §9.2: a recorder's request for a snapshot is read, and its grammar checked", () => {
  const update = (root: string) =>
    exampleBye(rfc7866, (text) =>
      text
        .replaceAll('BYE', 'UPDATE')
        .replace(
          'Content-Type: multipart/mixed;boundary="b=1"',
          'Contact: <sips:srs.example>;+sip.srs\r\nContent-Disposition: recording-session\r\nContent-Type: application/rs-metadata+xml',
        )
        .replace(
          /\r\n\r\n[\s\S]*/,
          `\r\n\r\n<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="urn:ietf:params:xml:ns:recording:1"/>`,
        ),
    );
  assert.deepEqual(names(update('requestsnapshot'), { profile: rfc7866 }), []);
  assert.deepEqual(names(update('snapshot'), { profile: rfc7866 }), ['metadata-element-unknown']);
});

test('a file written by hand with bare LF has one finding for it, and the rest is read', () => {
  const text = exampleInvite(dynamics365).toString().replaceAll('\r\n', '\n');
  assert.deepEqual(names(Buffer.from(text)), ['line-ends']);
  assert.deepEqual(names(Buffer.from(text.replace('Require: siprec\n', ''))).sort(), ['line-ends', 'require-siprec']);
});

test('a redacted file is clean, and no finding holds a key', () => {
  const redacted = exampleInvite(dynamics365, {
    sdp: (sdp) => sdp.replace(/(?<=inline:)\S+/g, (all) => '*'.repeat(all.length)),
  });
  assert.deepEqual(found(redacted), []);
  for (const sdp of [
    swap('inline:', 'inline: '),
    swap('a=crypto:1 ', 'a=crypto:'),
    swap('a=crypto:', 'b=crypto:'),
    swap('v=0', 'inline:'),
  ]) {
    const text = JSON.stringify(found(exampleInvite(dynamics365, { sdp })));
    assert.ok(text.length > 2 && !text.includes(key), text);
  }
});

test('garbage is one clear error', () => {
  const responses = ['SIP/2.0 200 OK\r\n\r\n', 'REGISTER sip:a SIP/2.0\r\n\r\n', 'ACK sip:a SIP/2.0\r\n\r\n'];
  for (const text of ['', '\0\xff\x01', 'hello\nworld', `a=crypto:1 X inline:${key}`, ...responses]) {
    const { kind, findings } = lint(Buffer.from(text, 'latin1'));
    assert.equal(kind, 'unknown');
    assert.deepEqual(
      findings.map(({ name, severity }) => [name, severity]),
      [['not-readable', 'error']],
    );
  }
  assert.deepEqual(names(Buffer.from('<html>')), ['metadata-malformed']);
  assert.deepEqual(names(Buffer.alloc(1024 * 1024 + 1)), ['not-readable']);
});
