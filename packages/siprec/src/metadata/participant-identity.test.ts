import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanIdentity, displayName } from './participant-identity.js';

const aors: readonly [given: string, aor: string, shown: string][] = [
  ['sip:+14255550123@carrier.example', 'sip:+14255550123@carrier.example', '+14255550123'],
  ['<sips:alice:secret@Host.example:5061;transport=tls?Subject=x>', 'sips:alice@Host.example', 'alice'],
  ['sip:+1425;phone-context=x@h.example;user=phone', 'sip:+1425;phone-context=x@h.example', '+1425'],
  ['sip:alice@[2001:db8::1]:5060', 'sip:alice@[2001:db8::1]', 'alice'],
  ['tel:+1-425-555-0123;ext=5', 'tel:+14255550123;ext=5', '+14255550123'],
  ['+1 (425) 555.0123', 'tel:+14255550123', '+14255550123'],
  ['alice@host.example', 'sip:alice@host.example', 'alice'],
  ['sip:a b"<é>@host.example', 'sip:a%20b%22%3C%C3%A9%3E@host.example', 'a b"<é>'],
  ['sip:100%@host.example', 'sip:100%25@host.example', '100%'],
  ['sip:host.example', 'sip:host.example', 'sip:host.example'],
  ['', 'sip:unavailable@unknown.invalid', 'unavailable'],
];

for (const [given, aor, shown] of aors) {
  test(`RFC 7865 §6.5.1: ${JSON.stringify(given)} is the address of record ${aor}`, () => {
    const identity = cleanIdentity({ aor: given });
    assert.deepEqual(identity, { aor });
    assert.equal(displayName(identity), shown);
  });
}
