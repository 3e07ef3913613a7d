import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTranslated } from './translated.js';

const cases: [contact: string, heardAt: string, translated: boolean][] = [
  ['sip:bob@10.1.2.3:5060', '203.0.113.5', true],
  ['sip:bob@192.168.0.7', '203.0.113.5', true],
  ['sip:bob@100.64.3.4:5062;transport=udp', '203.0.113.5', true],
  ['sip:bob@[fd00::7]:5060', '2001:db8::5', true],
  // A network of our own: whoever is heard from there may name another host of it.
  ['sip:bob@10.1.2.3', '10.9.9.9', false],
  ['sip:bob@10.1.2.3', '10.1.2.3', false],
  // Public addresses and names are for the sender to answer for.
  ['sip:bob@198.51.100.1', '203.0.113.5', false],
  ['sip:bob@pbx.example', '203.0.113.5', false],
];

for (const [contact, heardAt, translated] of cases) {
  test(`${contact} heard at ${heardAt}: ${translated ? 'behind a NAT' : 'as it says'}`, () => {
    assert.equal(isTranslated(contact, heardAt), translated);
  });
}
