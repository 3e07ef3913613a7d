import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessage } from './parse-message.js';
import { serialiseMessage } from './serialise-message.js';

// Two messages of RFC 4475 byte for byte: between them they use most of what a header may look like.
const wsinv = [
  'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
  'TO :',
  ' sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
  'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
  '  ;',
  '  tag = 98asjd8',
  'MaX-fOrWaRdS: 0068',
  'Call-ID: wsinv.ndaksdj@192.0.2.1',
  'Content-Length   : 150',
  'cseq: 0009',
  '  INVITE',
  'Via  : SIP  /   2.0',
  ' /UDP',
  '    192.0.2.2;branch=390skdjuw',
  's :',
  'NewFangledHeader:   newfangled value',
  ' continued newfangled value',
  'UnknownHeaderWithUnusualValue: ;;,,;;,;',
  'Content-Type: application/sdp',
  'Route:',
  ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
  'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
  '  branch  =   z9hG4bK9ikj8  ,',
  ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
  ' z9hG4bK30239',
  'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
  '      newvalue ;',
  '  secondparam ; q = 0.33',
  '',
  'v=0',
  'o=mhandley 29739 7272939 IN IP4 192.0.2.3',
  's=-',
  'c=IN IP4 192.0.2.4',
  't=0 0',
  'm=audio 49217 RTP/AVP 0 12',
  'm=video 3227 RTP/AVP 31',
  'a=rtpmap:31 LPC',
  '',
].join('\r\n');

const intmeth = [
  "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
  "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~",
  'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>',
  "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"работающий\";tag=_token~1'+`*%!-.",
  'Call-ID: intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
  "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~",
  'Max-Forwards: 255',
  "extensionHeader-!.%*+_`'~:﻿大停電",
  'Content-Length: 0',
  '',
  '',
].join('\r\n');

test('RFC 4475 §3.1.1.1 wsinv: a short tortuous INVITE', () => {
  const invite = parseMessage(Buffer.from(wsinv));
  assert.ok(invite.kind === 'request');
  assert.equal(invite.uri, 'sip:vivekg@chair-dnrc.example.com;unknownparam');
  assert.deepEqual(invite.cseq, { number: 9, method: 'INVITE' });
  assert.equal(invite.headers.get('Max-Forwards'), '0068');
  assert.equal(invite.headers.values('Via').length, 3);
  assert.equal(invite.topVia.host, '192.0.2.2');
  assert.equal(invite.topVia.parameters.get('branch'), '390skdjuw');
  assert.equal(invite.to.parameters.get('tag'), '1918181833n');
  assert.equal(invite.from.displayName, 'J Rosenberg \\"');
  assert.equal(invite.from.parameters.get('tag'), '98asjd8');
  assert.equal(invite.headers.get('Subject'), '');
  assert.deepEqual(invite.contacts[0]?.parameters.get('newparam'), 'newvalue');
  assert.equal(invite.contentType?.type, 'application/sdp');
  assert.equal(invite.body.length, 150);
  const again = parseMessage(serialiseMessage(invite));
  assert.deepEqual([again.topVia, again.from, again.body], [invite.topVia, invite.from, invite.body]);
});

test('RFC 4475 §3.1.1.2 intmeth: every character that a method, a URI and a display name may have', () => {
  const request = parseMessage(Buffer.from(intmeth));
  assert.ok(request.kind === 'request');
  assert.equal(request.method, "!interesting-Method0123456789_*+`.%indeed'~");
  assert.equal(request.to.displayName, 'BEL:\x07 NUL:\x00 DEL:\x7f');
  assert.match(request.uri, /^sip:1_unusual\.URI~/);
  // The value begins with a byte order mark, which stays; only the space after a colon is ours.
  assert.equal(String(serialiseMessage(request)), intmeth.replace(':\ufeff', ': \ufeff'));
});
