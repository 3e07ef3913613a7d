import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { SidestreamError } from '@sidestream/service';
import { Headers, SipError } from '@sidestream/sip';
import DrachtioSrf from 'drachtio-srf';
import type { IncomingInvite, IncomingOffer, Leg, OutgoingInvite } from '../domain/ports.js';
import { silent } from '../testing/fake-world.js';
import { TestEdge, TestParty } from '../testing/test-edge.js';
import { DrachtioTrunking } from './drachtio-trunking.js';

const Srf = DrachtioSrf as unknown as { prototype: { addDialog(dialog: object): void } };

let edge: TestEdge;
let caller: TestParty;
let callee: TestParty;
let trunking: DrachtioTrunking;
let health = 200;
const arrivals = new EventEmitter();
const never = new AbortController().signal;

function newTrunking(at: TestEdge): DrachtioTrunking {
  return new DrachtioTrunking({
    edge: at.admin,
    secret: at.secret,
    clock: () => performance.now(),
    log: silent,
    onInvite: (invite) => arrivals.emit('invite', invite),
    onOptions: () => ({ status: health, headers: {} }),
    loginOf: () => undefined,
    onEdge: (up, detail) => arrivals.emit(up ? 'up' : 'down', detail),
  });
}

before(async () => {
  edge = await TestEdge.start();
  caller = await TestParty.start();
  callee = await TestParty.start();
  trunking = newTrunking(edge);
  const up = once(arrivals, 'up');
  trunking.connect();
  await up;
});

after(async () => {
  trunking.close();
  await caller.close();
  await callee.close();
  await edge.stop();
});

async function arrival(): Promise<IncomingInvite> {
  const [invite] = await once(arrivals, 'invite');
  return invite;
}

function outgoing(over: Partial<OutgoingInvite> = {}): OutgoingInvite {
  const uri = `sip:+15550001@${callee.address}`;
  const headers = { From: `"Ann" <sip:+15559999@${trunking.ownAddress('udp')}>`, To: `<${uri}>`, 'Max-Forwards': '69' };
  return {
    trunk: 'carrier',
    uri,
    protocol: 'udp',
    headers,
    sdp: 'v=0\r\noffer',
    onSent: () => {},
    onProgress: () => {},
    ...over,
  };
}

interface Heard {
  offers: IncomingOffer[];
  identities: string[];
  ended: Promise<string>;
  next: () => Promise<IncomingOffer>;
}

function listen(leg: Leg): Heard {
  const bus = new EventEmitter();
  const offers: IncomingOffer[] = [];
  const identities: string[] = [];
  const ended = once(bus, 'ended').then(([cause]) => String(cause));
  leg.listen({
    offer: (offer) => {
      offers.push(offer);
      bus.emit('offer', offer);
    },
    info: (info) => info.respond(info.body === 'Signal=5' ? 200 : 415),

    refer: (referral) => referral.refuse(603),
    identified: ({ header }) => void identities.push(header('p-asserted-identity') ?? ''),
    ended: (cause) => bus.emit('ended', cause),
  });
  return { offers, identities, ended, next: () => once(bus, 'offer').then(([offer]) => offer) };
}

/** Answers, and acts synchronously after the library has made the dialog: as a CANCEL in the same packet of the edge would. */
function turnOfAnswer(act: () => void, answer: () => void): Promise<void> {
  return new Promise((resolve) => {
    const made = Srf.prototype.addDialog;
    Srf.prototype.addDialog = function (this: object, dialog: object) {
      Srf.prototype.addDialog = made;
      made.call(this, dialog);
      // createUAC calls back in this very turn, right after this; nextTick still comes before any promise goes on.
      process.nextTick(act);
      resolve();
    };
    answer();
  });
}

async function incomingCall() {
  const arriving = arrival();
  const calling = caller.call(edge, { body: 'v=0\r\noffer' });
  const leg = await (await arriving).accept('v=0\r\nanswer', 'carrier');
  return { leg, heard: listen(leg), ...(await calling) };
}

async function outgoingCall() {
  const ringing = callee.nextInvite();
  const inviting = trunking.invite(outgoing(), never);
  const dialog = (await ringing).accept({ body: 'v=0\r\nanswer', contentType: 'application/sdp' });
  const outcome = await inviting;
  assert.ok(outcome.kind === 'accepted');
  return { dialog, leg: outcome.leg, sdp: outcome.sdp, heard: listen(outcome.leg) };
}

test('OPTIONS resolve with the final status of the peer; silence ends with the signal', async () => {
  const uri = `sip:${callee.address}`;
  const asked = once(callee.agent, 'request');
  const answered = trunking.options(uri, 'udp', never);
  const [request] = await asked;
  assert.equal(request.request.method, 'OPTIONS');
  await request.respond(405);
  assert.equal(await answered, 405);
  const silent = once(callee.agent, 'request');
  const gone = new SidestreamError('deadline-exceeded', 'late');
  const stop = new AbortController();
  const unanswered = trunking.options(uri, 'udp', stop.signal);
  const [late] = await silent;
  stop.abort(gone);
  await assert.rejects(unanswered, gone);
  await late.respond(200);
});

test('RFC 8224: each of several Identity fields reaches the far side as a field of its own', async () => {
  const identity = ['a.b.c;info=<https://x.example/a,b>;ppt=shaken', 'd.e.f;info=<https://y.example>;ppt=div'];
  const ringing = callee.nextInvite();
  const usual = outgoing();
  const inviting = trunking.invite(
    { ...usual, headers: { ...usual.headers, Identity: identity, 'X-One': 'one' } },
    never,
  );
  const invite = await ringing;
  assert.deepEqual(invite.request.headers.all('Identity'), identity);
  assert.equal(invite.request.headers.get('X-One'), 'one');
  void invite.respond(486);
  assert.equal((await inviting).kind, 'refused');
});

test('an INVITE arrives with its identity, is rung and accepted; the BYE of the caller ends the leg', async () => {
  const arriving = arrival();
  const statuses: number[] = [];
  const calling = caller.call(edge, { body: 'v=0\r\noffer', onProvisional: (status) => statuses.push(status) });
  const invite = await arriving;
  assert.equal(invite.sdp, 'v=0\r\noffer');
  assert.match(invite.header('from') ?? '', /^"Ann" <sip:\+15559999@carrier\.example>/);
  assert.equal(`${invite.source.address}:${invite.source.port}`, caller.address);
  await invite.ring(183, 'v=0\r\nearly');
  const heard = listen(await invite.accept('v=0\r\nanswer', 'carrier'));
  const { dialog, response } = await calling;
  assert.equal(response.body.toString(), 'v=0\r\nanswer');
  assert.ok(statuses.includes(183));
  await dialog.bye();
  assert.equal(await heard.ended, 'hangup');
});

test('RFC 3261 §7.3.1: each challenge of a refusal has a line of its own', async () => {
  const arriving = arrival();
  const calling = caller.call(edge, { body: 'v=0\r\noffer' }).catch((error: unknown) => error);
  const challenges = ['Digest realm="a, b", algorithm=SHA-256', 'Digest realm="a, b", algorithm=MD5'];
  await (await arriving).refuse(401, { 'WWW-Authenticate': challenges });
  const error = await calling;
  assert.ok(error instanceof SipError);
  assert.deepEqual(error.response?.headers.all('WWW-Authenticate'), challenges);
});

test('a refusal carries status and headers, and a second one does nothing', async () => {
  const arriving = arrival();
  const calling = caller.call(edge, { body: 'v=0\r\noffer' }).catch((error: unknown) => error);
  const invite = await arriving;
  await invite.refuse(503, { 'Retry-After': '5', Warning: '399 sidestream "media relay: none available"' });
  await invite.refuse(500);
  const error = await calling;
  assert.ok(error instanceof SipError);
  assert.equal(error.status, 503);
  assert.match(error.response?.headers.get('warning') ?? '', /none available/);
});

test('CANCEL of the caller aborts the invite; the 200 that comes too late makes no call', async () => {
  const arriving = arrival();
  const giveUp = new AbortController();
  const calling = caller.call(edge, { body: 'v=0\r\noffer', signal: giveUp.signal }).catch((error: unknown) => error);
  const invite = await arriving;
  await invite.ring(180, undefined);
  const cancelled = once(invite.cancelled, 'abort');
  giveUp.abort();
  await cancelled;
  await assert.rejects(invite.accept('v=0\r\nanswer', 'carrier'), SidestreamError);
  await calling;
});

test('an INVITE goes out, progress and answer come back, BYE ends it once', async () => {
  const ringing = callee.nextInvite();
  const progress: string[] = [];
  let sent = 0;
  const inviting = trunking.invite(
    outgoing({ onSent: () => sent++, onProgress: (status, sdp) => progress.push(`${status} ${sdp}`) }),
    never,
  );
  const invite = await ringing;
  await invite.respond(180);
  await invite.respond(183, { body: 'v=0\r\nearly', contentType: 'application/sdp' });
  const dialog = invite.accept({ body: 'v=0\r\nanswer', contentType: 'application/sdp' });
  const outcome = await inviting;
  assert.ok(outcome.kind === 'accepted');
  assert.equal(outcome.sdp, 'v=0\r\nanswer');
  assert.equal(sent, 1);
  assert.deepEqual(progress, ['180 ', '183 v=0\r\nearly']);
  assert.match(invite.request.headers.get('from') ?? '', /"Ann" <sip:\+15559999@127\.0\.0\.1/);
  const bye = once(dialog, 'bye');
  await Promise.all([outcome.leg.bye('SIP;cause=503;text="drained"', never), outcome.leg.bye(undefined, never)]);
  const [request] = await bye;
  assert.match(request.headers.get('reason'), /drained/);
});

test("the far side's refusal is an outcome, not an error", async () => {
  const ringing = callee.nextInvite();
  const inviting = trunking.invite(outgoing(), never);
  await (await ringing).respond(486);
  const outcome = await inviting;
  assert.ok(outcome.kind === 'refused');
  assert.equal(outcome.status, 486);
});

test('RFC 3261 §9.1: an abort while it rings sends CANCEL', async () => {
  const ringing = callee.nextInvite();
  const giveUp = new AbortController();
  const inviting = trunking.invite(
    outgoing({ onProgress: () => giveUp.abort(new DOMException('over', 'AbortError')) }),
    giveUp.signal,
  );
  const rejected = assert.rejects(inviting);
  const invite = await ringing;
  const cancelled = once(invite, 'cancel');
  await invite.respond(180);
  await rejected;
  await cancelled;
});

test('a 200 that crosses our CANCEL is acknowledged and ended by BYE', async () => {
  const ringing = callee.nextInvite();
  const giveUp = new AbortController();
  const rejected = assert.rejects(trunking.invite(outgoing(), giveUp.signal));
  const invite = await ringing;
  const dialog = invite.accept({ body: 'v=0\r\nanswer', contentType: 'application/sdp' });
  giveUp.abort(new DOMException('over', 'AbortError'));
  await rejected;
  await once(dialog, 'bye');
});

test('a 200 that comes in the very turn of the abort leaves no dialog', async () => {
  const before = callee.agent.dialogs;
  for (let i = 0; i < 3; i++) {
    const ringing = callee.nextInvite();
    const giveUp = new AbortController();
    const rejected = assert.rejects(trunking.invite(outgoing(), giveUp.signal));
    const invite = await ringing;
    await turnOfAnswer(
      () => giveUp.abort(new DOMException('over', 'AbortError')),
      () => {
        invite.accept({ body: 'v=0\r\nanswer', contentType: 'application/sdp' });
      },
    );
    await rejected;
  }
  await eventually(() => callee.agent.dialogs <= before, 'no dialog is left');
});

for (const [which, make] of [
  ['incoming', incomingCall],
  ['outgoing', outgoingCall],
] as const) {
  test(`re-INVITE of the peer of an ${which} leg is answered; one without SDP hears our description`, async () => {
    const { dialog, leg, heard } = await make();
    const first = heard.next();
    const answered = dialog.reinvite({ body: 'v=0\r\nhold', contentType: 'application/sdp' });
    const offer = await first;
    assert.equal(offer.sdp, 'v=0\r\nhold');
    assert.equal(await offer.answer('v=0\r\nheld'), '');
    assert.equal((await answered).body.toString(), 'v=0\r\nheld');
    const second = heard.next();
    const asked = dialog.reinvite({});
    const empty = await second;
    assert.equal(empty.sdp, '');
    const acknowledged = empty.answer('v=0\r\nours');
    assert.equal((await asked).body.toString(), 'v=0\r\nours');
    assert.equal(await acknowledged, '');
    await leg.bye(undefined, never);
  });

  test(`re-INVITE of ours on an ${which} leg: a refusal does not block the next one`, async () => {
    const { dialog, leg } = await make();
    let refuse = true;
    dialog.on('reinvite', (invite) => {
      if (refuse) void invite.respond(491);
      else invite.accept({ body: 'v=0\r\nagreed', contentType: 'application/sdp' });
    });
    assert.equal((await leg.reinvite('v=0\r\nnew', never)).status, 491);
    refuse = false;
    const { status, sdp } = await leg.reinvite('v=0\r\nnewer', never);
    assert.deepEqual([status, sdp], [200, 'v=0\r\nagreed']);
    await leg.bye(undefined, never);
  });

  test(`INFO passes both ways on an ${which} leg; the owner refuses a REFER`, async () => {
    const { dialog, leg } = await make();
    dialog.on('request', (request) => void request.respond(request.request.body.toString() === 'Signal=7' ? 200 : 415));
    assert.equal(await leg.info('application/dtmf-relay', 'Signal=7', never), 200);
    const response = await dialog.request('INFO', { body: 'Signal=5', contentType: 'application/dtmf-relay' });
    assert.equal(response.status, 200);
    const referred = await dialog.request('REFER', {});
    assert.equal(referred.status, 603);
    await leg.bye(undefined, never);
  });
}

test('RFC 3325: who says in an UPDATE that it is somebody else is told of, once for each', async () => {
  const { leg, heard, dialog } = await incomingCall();
  const says = async (asserted: string) => {
    const headers = new Headers([['P-Asserted-Identity', asserted]]);
    assert.equal((await dialog.request('UPDATE', { headers })).status, 200);
  };
  for (const user of ['ann', 'ann', 'bea', 'bea']) await says(`<sip:${user}@carrier.example>`);
  assert.deepEqual(heard.identities, ['<sip:bea@carrier.example>']);
  await leg.bye(undefined, never);
});

test('RFC 3515: a REFER of ours, and what the peer tells of it', async () => {
  const { leg, dialog } = await incomingCall();
  const told: number[] = [];
  const changed = new EventEmitter();
  const arriving = once(dialog, 'request');
  const headers = { 'Refer-To': '<sip:+15550009@sbc>' };
  const referring = leg.refer(headers, (status) => changed.emit('told', told.push(status)), never);
  const [incoming] = await arriving;
  assert.equal(incoming.request.headers.get('Refer-To'), '<sip:+15550009@sbc>');
  void incoming.respond(202);
  assert.equal(await referring, 202);
  for (const status of [180, 200]) assert.equal((await dialog.notifyRefer(incoming.request, status)).status, 200);
  assert.deepEqual(told, [180, 200]);
  assert.equal((await dialog.notifyRefer(incoming.request, 200)).status, 405, 'nothing comes after a final status');
  await leg.bye(undefined, never);
});

test('OPTIONS tells whether calls can come in', async () => {
  assert.equal(await caller.options(edge), 200);
  health = 503;
  assert.equal(await caller.options(edge), 503);
});

test('a dead edge: told, invites fail at once, what is in flight does not hang', async () => {
  const other = await TestEdge.start();
  const arrivalsUp = once(arrivals, 'up');
  const second = newTrunking(other);
  second.connect();
  await arrivalsUp;
  const ringing = callee.nextInvite();
  const inFlight = assert.rejects(second.invite(outgoing(), never), /edge is away/);
  await ringing;
  const down = once(arrivals, 'down');
  await other.stop();
  await down;
  await inFlight;
  await assert.rejects(second.invite(outgoing(), never), /edge is away/);
  second.close();
});

test('RFC 3261 §13.2.1: without an offer of ours the far side offers in its 200, and our ACK carries the answer', async () => {
  const ringing = callee.nextInvite();
  const inviting = trunking.invite(outgoing({ sdp: '' }), never);
  const invite = await ringing;
  assert.equal(invite.request.body.length, 0);
  const acknowledged = once(invite, 'ack');
  const dialog = invite.accept({ body: 'v=0\r\nfar offer', contentType: 'application/sdp' });
  const outcome = await inviting;
  assert.ok(outcome.kind === 'offered');
  assert.equal(outcome.sdp, 'v=0\r\nfar offer');
  const leg = await outcome.leg.answer('v=0\r\nour answer');
  const [ack] = await acknowledged;
  assert.equal(ack.body.toString(), 'v=0\r\nour answer');
  const gone = listen(leg).ended;
  await dialog.bye();
  assert.equal(await gone, 'hangup');
});

test("RFC 3261 §13.2.2.4: a far side's offer that nobody wants any more is refused in the ACK and ended", async () => {
  const ringing = callee.nextInvite();
  const givingUp = new AbortController();
  const inviting = trunking.invite(outgoing({ sdp: '' }), givingUp.signal);
  const invite = await ringing;
  const acknowledged = once(invite, 'ack');
  const offer = 'v=0\r\nm=audio 4000 RTP/AVP 0\r\n';
  const rejected = assert.rejects(inviting);
  const [dialog] = await Promise.all([
    (async () => {
      givingUp.abort(new SidestreamError('cancelled', 'given up'));
      return invite.accept({ body: offer, contentType: 'application/sdp' });
    })(),
    rejected,
  ]);
  const ended = once(dialog, 'ended');
  const [ack] = await acknowledged;
  assert.match(ack.body.toString(), /^m=audio 0 RTP\/AVP 0\r$/m);
  assert.deepEqual(await ended, ['remote']);
});

test('a branch is known by its To tag, in its provisional responses and in its answer', async () => {
  const ringing = callee.nextInvite();
  const told: string[][] = [];
  const onProgress = (status: number, sdp: string, branch: string) => told.push([String(status), sdp, branch]);
  const inviting = trunking.invite(outgoing({ onProgress }), never);
  const invite = await ringing;
  await invite.respond(183, { body: 'v=0\r\nearly', contentType: 'application/sdp' });
  await eventually(() => told.length === 1, 'the 183 is told');
  const branch = told[0]?.[2] ?? '';
  assert.notEqual(branch, '');
  assert.deepEqual(told, [['183', 'v=0\r\nearly', branch]]);
  const dialog = invite.accept({ body: 'v=0\r\nanswer', contentType: 'application/sdp' });
  const outcome = await inviting;
  assert.ok(outcome.kind === 'accepted');
  assert.equal(outcome.branch, branch);
  const gone = listen(outcome.leg).ended;
  await dialog.bye();
  await gone;
});

test('a caller without an offer hears ours in the 200, and its ACK is the answer', async () => {
  const arriving = arrival();
  const calling = caller.call(edge, { ack: 'v=0\r\ntheir answer' });
  const invite = await arriving;
  assert.equal(invite.sdp, '');
  const { leg, answer } = await invite.acceptWithOffer('v=0\r\nour offer', 'carrier');
  const { response } = await calling;
  assert.equal(response.body.toString(), 'v=0\r\nour offer');
  assert.equal(await answer, 'v=0\r\ntheir answer');
  await leg.bye(undefined, AbortSignal.timeout(5_000));
});
