// Transfers between real parties: who is connected afterwards, what the party that referred hears, and what the recorder has of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customerHost, listedSeller, sellerHost, unlistedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { comparePackets, type PartyCall, PartySimulator, sellerSpeech } from '@sidestream/simulators';
import { formatReplaces, formatUri, Headers, type IncomingRequest, parseReferTo } from '@sidestream/sip';
import { customerNumber, Stage } from './stage.js';

const colleague = '+493012345099';

/** The dialog as the one who is asked to replace it knows it (RFC 3891 §3). */
function replaces(party: PartyCall): string {
  assert.ok(party.dialog);
  const { callId, localTag, remoteTag } = party.dialog.state;
  return `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
}

/** The party refers the other one to this number, and to the other end of this call of its own; what it hears until the end, as statuses. */
async function refer(party: PartyCall, number: string, consulted?: PartyCall): Promise<number[]> {
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
  const headers = consulted === undefined ? '' : `?Replaces=${encodeURIComponent(replaces(consulted))}`;
  const { status } = await dialog.refer(`<sip:${number}@attacker.invalid${headers}>`);
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

/** The seller's own call to a colleague, both ends of it. */
async function consult(stage: Stage, number: string): Promise<{ own: PartyCall; colleague: PartyCall }> {
  const arriving = new Promise<PartyCall>((resolve) => stage.seller.once('call', resolve));
  const own = await stage.seller.call(stage.uri(number), { answerTimeoutMs: 10_000 });
  await own.answered;
  return { own, colleague: await arriving };
}

test('RFC 5589 §7.1: a seller who has asked a colleague connects the customer: they talk, the recording goes on with the new voice', async (t) => {
  const stage = await Stage.start(t, withinThePbx);
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await stage.talk(call, 25);
  await call.seller.hold();
  const { own, colleague: second } = await consult(stage, listedSeller.number);
  await eventually(() => laboratory.bodies('callAnswered').length === 2, 'both calls are up');
  const heard = await refer(call.seller, listedSeller.number, own);
  assert.deepEqual(heard, [100, 200]);
  // Both dialogs of who referred are hung up on.
  await Promise.all([own.ended, call.seller.ended]);
  await stage.talk({ customer: call.customer, seller: second }, 50);
  await eventually(() => laboratory.bodies('callEnded').length === 1, 'the call to the colleague has ended');
  assert.equal(laboratory.bodies('callEnded')[0]?.termination?.reason, 'transferred');
  assert.equal(laboratory.bodies('callTransferred')[0]?.callId, laboratory.bodies('callStarted')[0]?.callId);
  const hungUpAt = Date.now();
  await second.hangUp();
  await call.customer.ended;
  await eventually(() => laboratory.bodies('callEnded').length === 2, 'the call has ended');
  assert.equal(laboratory.bodies('callEnded')[1]?.termination?.reason, 'hangup');

  const [session] = laboratory.recorder.sessions;
  assert.ok(session);
  await session.ended;
  assert.deepEqual(session.findings, []);
  const [inbound, outbound] = ['inbound', 'outbound'].map((label) =>
    session.streams.find((stream) => stream.label === label),
  );
  assert.ok(inbound && outbound);
  const joinedAt = call.seller.moments.endedAt ?? 0;
  const { lost, changed } = comparePackets(second.sent, outbound.packets, { from: joinedAt, until: hungUpAt });
  assert.deepEqual({ lost, changed }, { lost: 0, changed: 0 }, 'the colleague is heard');
  assert.equal(comparePackets(call.customer.sent, inbound.packets, { until: hungUpAt }).lost, 0, 'so is the customer');
  assert.deepEqual([inbound.statistics.authFailures, outbound.statistics.authFailures], [0, 0]);
  await stage.nothingIsLeft();
});

test('RFC 5589 §7.5: the consulted party is gone, or none of ours: who referred hears so and talks on', async (t) => {
  const stage = await Stage.start(t, withinThePbx);
  if (!stage) return;
  const call = await stage.inbound();
  const { own } = await consult(stage, listedSeller.number);
  await own.hangUp();
  await eventually(() => stage.laboratory.bodies('callEnded').length === 1, 'the call to the colleague has ended');
  // Nobody of ours has the dialog any more, so the number is called to replace it: the phone does not know how.
  assert.deepEqual(await refer(call.seller, listedSeller.number, own), [100, 420]);
  await stage.talk(call, 25);
  await call.customer.hangUp();
  await stage.nothingIsLeft();
});

test('RFC 3891 §3: a colleague takes the call over by INVITE with Replaces: the recording goes on with the new voice', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await stage.talk(call, 25);
  const headers = [
    ['Replaces', replaces(call.seller)],
    ['Require', 'replaces'],
  ] as const;
  const second = await stage.seller.call(stage.uri(listedSeller.number), { answerTimeoutMs: 10_000, headers });
  await second.answered;
  const joinedAt = Date.now();
  await call.seller.ended;
  await stage.talk({ customer: call.customer, seller: second }, 50);
  await eventually(() => laboratory.bodies('callTransferred').length === 1, 'the dialer hears of it');
  const hungUpAt = Date.now();
  await second.hangUp();
  await call.customer.ended;
  const [session, ...more] = laboratory.recorder.sessions;
  assert.ok(session);
  assert.equal(more.length, 0);
  await session.ended;
  assert.deepEqual(session.findings, []);
  const outbound = session.streams.find(({ label }) => label === 'outbound');
  assert.ok(outbound);
  const { lost, changed } = comparePackets(second.sent, outbound.packets, { from: joinedAt, until: hungUpAt });
  assert.deepEqual({ lost, changed }, { lost: 0, changed: 0 }, 'the colleague is heard');
  assert.equal(outbound.statistics.authFailures, 0);
  await eventually(() => laboratory.bodies('callEnded').length === 1, 'the call has ended');
  assert.equal(laboratory.bodies('callEnded')[0]?.termination?.reason, 'hangup');
  await stage.nothingIsLeft();
});

test('RFC 3891 §3: who is of the other side, or names no dialog, takes nobody over: 481, and the call goes on', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const call = await stage.inbound();
  const refused = async (party: PartySimulator, value: string) => {
    const uri = stage.uri(listedSeller.number);
    const tried = await party.call(uri, { answerTimeoutMs: 10_000, headers: [['Replaces', value]] });
    await tried.answered.catch(() => undefined);
    return (await tried.ended).status;
  };
  assert.equal(await refused(stage.customer, replaces(call.seller)), 481);
  assert.equal(await refused(stage.seller, replaces(call.seller).replace('from-tag=', 'from-tag=x')), 481);
  assert.equal(await refused(stage.seller, 'nonsense'), 400);
  await stage.talk(call, 25);
  await call.customer.hangUp();
  await stage.nothingIsLeft();
});

/** The party takes a REFER within its call: it calls whom it is referred to, and tells how that goes. */
function follows(party: PartySimulator, { dialog }: PartyCall): Promise<PartyCall> {
  assert.ok(dialog);
  return new Promise((resolve, reject) => {
    dialog.on('request', (incoming: IncomingRequest) => {
      const follow = async () => {
        const { request } = incoming;
        assert.equal(request.method, 'REFER');
        void incoming.respond(202);
        const { uri, replaces: named } = parseReferTo(request.headers.get('Refer-To') ?? '');
        const headers = named === undefined ? [] : [['Replaces', formatReplaces(named)] as const];
        const placed = await party.call(formatUri(uri), { answerTimeoutMs: 10_000, headers });
        await placed.answered;
        await dialog.notifyRefer(request, 200);
        resolve(placed);
      };
      follow().catch(reject);
    });
  });
}

const passed = {
  configure: ({ trunks }: { trunks: Record<string, object> }) => {
    withinThePbx.configure({ trunks });
    Object.assign(trunks['pbx'] ?? {}, { refer: 'pass' });
  },
};

test('RFC 3515 §2.4.4: a REFER that is passed on: the customer calls through us, and who referred hears how that goes', async (t) => {
  const stage = await Stage.start(t, passed);
  if (!stage) return;
  const call = await stage.inbound();
  await stage.talk(call, 10);
  const arriving = new Promise<PartyCall>((resolve) => stage.seller.once('call', resolve));
  const [heard, placed, second] = await Promise.all([
    refer(call.seller, listedSeller.number),
    follows(stage.customer, call.customer),
    arriving,
  ]);
  assert.equal(heard.at(-1), 200);
  assert.ok(!placed.invite?.uri.includes('attacker'));
  await stage.talk({ customer: placed, seller: second }, 25);
  await call.seller.hangUp();
  await placed.hangUp();
  await stage.nothingIsLeft();
});

test('RFC 3891: a REFER with Replaces that is passed on: the customer takes the place of who referred in its other call', async (t) => {
  const stage = await Stage.start(t, passed);
  if (!stage) return;
  const call = await stage.inbound();
  const { own, colleague: second } = await consult(stage, listedSeller.number);
  const [heard, placed] = await Promise.all([
    refer(call.seller, listedSeller.number, own),
    follows(stage.customer, call.customer),
  ]);
  assert.equal(heard.at(-1), 200);
  await own.ended;
  await stage.talk({ customer: placed, seller: second }, 25);
  await call.seller.hangUp();
  await placed.hangUp();
  await second.ended;
  await stage.nothingIsLeft();
});

test('RFC 3325: the carrier tells by UPDATE that another customer has the call: the recorder has both, the call and its recording go on', async (t) => {
  const stage = await Stage.start(t);
  if (!stage) return;
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  const { dialog } = call.customer;
  assert.ok(dialog);
  const says = async (number: string) => {
    const headers = new Headers([['P-Asserted-Identity', `<sip:${number}@${customerHost}>`]]);
    assert.equal((await dialog.request('UPDATE', { headers })).status, 200);
  };
  // What is said for the first time is who it has been.
  await says(customerNumber);
  await says(colleague);
  await eventually(() => laboratory.bodies('callTransferred').length === 1, 'the dialer hears of it');
  assert.equal(laboratory.bodies('callTransferred')[0]?.party, 'customer');
  await eventually(
    () => laboratory.recorder.sessions[0]?.metadata.some(({ xml }) => xml.includes(colleague)) === true,
    'the recorder hears of it',
  );
  await stage.talk(call, 25);
  await call.customer.hangUp();
  const [session, ...more] = laboratory.recorder.sessions;
  assert.ok(session);
  assert.equal(more.length, 0);
  await session.ended;
  assert.deepEqual(session.findings, []);
  await stage.nothingIsLeft();
});
