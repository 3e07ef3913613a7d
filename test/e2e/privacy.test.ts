// A caller who asks for privacy (RFC 3323), or hides behind an anonymous From: the number is nowhere in the recording.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import type { CallOptions } from '@sidestream/simulators';
import { serialiseMessage } from '@sidestream/sip';
import { customerNumber, Stage } from './stage.js';

const digits = customerNumber.replace('+', '');
const cases: [string, CallOptions][] = [
  ['Privacy: id', { headers: [['Privacy', 'id']] }],
  [
    'an anonymous From with a P-Asserted-Identity',
    {
      from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
      headers: [['P-Asserted-Identity', `<sip:${customerNumber}@carrier.example>`]],
    },
  ],
];

describe('the number of a caller is nowhere in the recording with', () => {
  for (const [name, options] of cases) {
    test(name, async (t) => {
      const wire: string[] = [];
      const stage = await Stage.start(t, {
        recorder: { onMessage: ({ message }) => wire.push(serialiseMessage(message).toString('utf8')) },
      });
      if (!stage) return;
      const { laboratory } = stage;
      const call = await stage.customer.call(stage.uri(listedSeller.number), options);
      await call.answered;
      await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
      await call.hangUp();
      await eventually(() => laboratory.bodies('recordingEnded').length === 1, 'the recording has ended');
      const text = wire.join('\n');
      assert.match(text, /^INVITE /m);
      assert.match(text, /sip:anonymous@anonymous\.invalid/);
      assert.match(text, /name="CallerDisplayName" value="Anonymous"/);
      assert.ok(!text.includes(digits), 'the number went to the recorder');
      assert.ok(!JSON.stringify(laboratory.events).includes(digits), 'the number is in an event');
    });
  }
});
