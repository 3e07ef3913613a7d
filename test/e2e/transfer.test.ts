// Transfers between real parties: who is connected afterwards, what the party that referred hears, and what the recorder has of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedSeller, sellerHost, unlistedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { comparePackets, type PartyCall, PartySimulator, sellerSpeech } from '@sidestream/simulators';
import { customerNumber, Stage } from './stage.js';

const colleague = '+493012345099';

/** The party refers the other one to this number; what it hears until the end of that, as statuses. */
async function refer(party: PartyCall, number: string): Promise<number[]> {
  const { dialog } = party;
  assert.ok(dialog);
  const heard: number[] = [];
  const over = new Promise<void>((resolve) =>
    dialog.on('referProgress', ({ status, terminated }) => {
      heard.push(status);
      if (terminated) resolve();
    }),
  );
  // The host is anybody's: it must count for nothing.
  const { status } = await dialog.refer(`<sip:${number}@attacker.invalid>`);
  assert.equal(status, 202);
  await over;
  return heard;
}

/** Sellers reach each other through us. */
const withinThePbx = {
  configure: ({ trunks }: { trunks: Record<string, object> }) => {
    Object.assign(trunks['pbx'] ?? {}, { routes: [{ called: { prefix: '+4930' }, to: 'pbx' }, { to: 'carrier' }] });
  },
};

test('RFC 5589 §6.1: a seller transfers the customer to another one; the same recording has both, and the new voice', async (t) => {
  const stage = await Stage.start(t, withinThePbx);
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await stage.talk(call, 25);
  await call.seller.hold();
  const arriving = new Promise<PartyCall>((resolve) => stage.seller.once('call', resolve));
  const heard = await refer(call.seller, listedSeller.number);
  const second = await arriving;
  assert.deepEqual([heard[0], heard.at(-1)], [100, 200]);
  assert.match(second.invite?.from.uri ?? '', new RegExp(`^sip:\\${customerNumber}@`));
  assert.doesNotMatch(second.invite?.uri ?? '', /attacker/);
  // Who has referred and does not hang up is hung up on.
  await call.seller.ended;
  await stage.talk({ customer: call.customer, seller: second }, 50);
  await eventually(() => laboratory.bodies('callTransferred').length === 1, 'the dialer hears of it');
  const hungUpAt = Date.now();
  await call.customer.hangUp();
  await second.ended;
  await eventually(() => laboratory.bodies('callEnded').length === 1, 'the call has ended');
  assert.equal(laboratory.bodies('callEnded')[0]?.termination?.reason, 'hangup');

  const [session, ...more] = laboratory.recorder.sessions;
  assert.ok(session);
  assert.equal(more.length, 0);
  await session.ended;
  assert.deepEqual(session.findings, []);
  const [inbound, outbound] = ['inbound', 'outbound'].map((label) =>
    session.streams.find((stream) => stream.label === label),
  );
  assert.ok(inbound && outbound);
  const { lost, changed } = comparePackets(second.sent, outbound.packets, { until: hungUpAt });
  assert.deepEqual({ lost, changed }, { lost: 0, changed: 0 }, 'the new seller is heard');
  assert.equal(comparePackets(call.customer.sent, inbound.packets, { until: hungUpAt }).lost, 0, 'so is the customer');
  assert.deepEqual([inbound.statistics.authFailures, outbound.statistics.authFailures], [0, 0]);
  await stage.nothingIsLeft();
});

test('RFC 7865 §6.5: the recorder is told who has left and who has come, when the new seller is another one', async (t) => {
  const stage = await Stage.start(t, {
    ...withinThePbx,
    seller: { uri: `sip:${listedSeller.number}@${sellerHost}` },
  });
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  const arriving = new Promise<PartyCall>((resolve) => stage.seller.once('call', resolve));
  await refer(call.seller, unlistedSeller.number);
  const second = await arriving;
  // Nobody has listed the newcomer: the recording ends, the call goes on.
  await eventually(() => laboratory.bodies('recordingEnded').length === 1, 'the recording has ended');
  assert.equal(laboratory.bodies('recordingEnded')[0]?.termination?.reason, 'seller-not-listed');
  await stage.talk({ customer: call.customer, seller: second }, 25);
  assert.equal(laboratory.bodies('callTransferred')[0]?.decision?.reason, 'not-listed');
  await call.customer.hangUp();
  await stage.nothingIsLeft();
});

test('RFC 5589 §6.3.1: the target is busy: who referred hears so and talks on with the customer', async (t) => {
  const busy = await PartySimulator.start({
    name: 'busy',
    uri: `sip:${colleague}@${sellerHost}`,
    wav: sellerSpeech,
    listen: { protocol: 'udp', host: sellerHost },
    incoming: { rejectWith: 486, ringMs: 0 },
  });
  t.after(() => busy.close());
  const stage = await Stage.start(t, {
    configure: ({ trunks }) => {
      trunks['desk'] = {
        tenant: 'contoso',
        side: 'seller',
        targets: [`sip:${sellerHost}:${busy.address.port}`],
        routes: [{ to: 'carrier' }],
      };
      Object.assign(trunks['pbx'] ?? {}, {
        routes: [{ called: { prefix: colleague }, to: 'desk' }, { to: 'carrier' }],
      });
    },
  });
  if (!stage) return;
  const call = await stage.inbound();
  await stage.talk(call, 10);
  assert.deepEqual(await refer(call.seller, colleague), [100, 486]);
  await stage.talk(call, 50);
  await call.seller.hangUp();
  await call.customer.ended;
  assert.equal(stage.laboratory.bodies('callTransferred').length, 0);
  await stage.nothingIsLeft();
});
