import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../clock.js';
import { allowsReliable } from '../reliable/rack.js';
import { ScriptedFlow, ScriptedTransports } from '../transaction/scripted-flow.js';
import { UserAgent } from './user-agent.js';

const lines = [
  'INVITE sip:bob@192.0.2.1 SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;rport, SIP/2.0/TCP [::1]:5060',
  'Max-Forwards: 70',
  'From: "A" <sip:alice@192.0.2.2>;tag=a',
  'To: <sip:bob@192.0.2.1>',
  'Call-ID: one',
  'CSeq: 1 INVITE',
  'Contact: <sip:alice@192.0.2.2:5060;transport=tcp>',
  'Record-Route: <sip:proxy@192.0.2.3;lr>',
  'Require: siprec, 100rel',
  'RAck: 1 1 INVITE',
  'Refer-To: <sip:carol@192.0.2.4>',
  'Content-Type: application/sdp',
  'Content-Length: 3',
];
const methods = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'PRACK', 'UPDATE', 'REFER', 'NOTIFY', 'x'];

const edit = fc.record({
  line: fc.nat({ max: lines.length - 1 }),
  at: fc.nat({ max: 60 }),
  remove: fc.nat({ max: 12 }),
  insert: fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom('<', '>', '"', ';tag=', ';tag', '|', ',', '@', ':', '*', '99999999999', '\r\n'),
  ),
});
const message = fc
  .tuple(fc.constantFrom(...methods, 'SIP/2.0 200 OK'), fc.array(edit, { maxLength: 4 }))
  .map(([kind, edits]) => {
    const text = lines.map((line) => line.replace('INVITE', kind));
    if (kind.startsWith('SIP')) text[0] = kind;
    for (const { line, at, remove, insert } of edits) {
      const old = text[line] ?? '';
      text[line] = old.slice(0, at) + insert + old.slice(at + remove);
    }
    return Buffer.from(`${text.join('\r\n')}\r\n\r\nv=0`);
  });

test('whatever arrives, in whatever order, nothing is thrown and nothing is left', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), fc.boolean(), (messages, accept) => {
      const faults: Error[] = [];
      const clock = new ManualClock();
      const transports = new ScriptedTransports();
      const flow = new ScriptedFlow(clock, 'udp');
      const agent = new UserAgent({ transports, clock, supported: ['siprec', '100rel'] });
      agent.on('fault', (error) => faults.push(error));
      if (accept) {
        agent.on('invite', (invite) => {
          void invite.respond(183, { reliable: allowsReliable(invite.request), body: 'v=0' });
          invite.accept();
        });
      }
      for (const bytes of messages) transports.emit('message', bytes, flow);
      clock.advance(120_000);
      void agent.close();
      assert.deepEqual(faults, []);
      assert.equal(agent.dialogs + agent.transactions + clock.pending, 0);
    }),
    { numRuns: 2000 },
  );
});
