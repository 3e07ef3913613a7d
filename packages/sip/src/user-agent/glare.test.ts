import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../transaction/scripted-flow.js';
import { glareDelayMs } from './glare-backoff.js';
import { invite } from './scripted-invite.js';
import { session } from './scripted-peer.js';

test('RFC 3261 §14.1: after a 491 who made the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in units of 10 ms', () => {
  const last = 1 - Number.EPSILON;
  assert.deepEqual([glareDelayMs('uac', 0), glareDelayMs('uac', last)], [2100, 4000]);
  assert.deepEqual([glareDelayMs('uas', 0), glareDelayMs('uas', last)], [0, 2000]);
  for (let i = 0; i < 200; i += 1) assert.equal(glareDelayMs('uac') % 10, 0);
});

for (const method of ['INVITE', 'UPDATE']) {
  test(`RFC 3261 §14.1: a 491 to ${method} is tried again after the wait, as often as it was asked for`, async () => {
    const { respond, session: accepted, sent, clock } = await invite();
    await respond(200);
    const { dialog } = accepted();
    const options = { body: 'offer', glareRetries: 1 };
    const asked = method === 'INVITE' ? dialog.reinvite(options) : dialog.request(method, options);
    await settle();
    const before = sent(method).length;
    await respond(491, 'fork-1', sent(method).at(-1));
    clock.advance(2099);
    await settle();
    assert.equal(sent(method).length, before);
    clock.advance(1901);
    await settle();
    assert.equal(sent(method).length, before + 1);
    await respond(491, 'fork-1', sent(method).at(-1));
    assert.equal((await asked).status, 491);
  });
}

test('the wait ends with its signal and with the dialog', async () => {
  const { respond, session: accepted, sent, clock } = await invite();
  await respond(200);
  const { dialog } = accepted();
  const abort = new AbortController();
  const given = dialog.reinvite({ glareRetries: 1, signal: abort.signal });
  await settle();
  await respond(491, 'fork-1', sent('INVITE').at(-1));
  abort.abort();
  await assert.rejects(given, { code: 'cancelled' });
  const over = dialog.reinvite({ glareRetries: 1 });
  await settle();
  await respond(491, 'fork-1', sent('INVITE').at(-1));
  void dialog.bye();
  await settle();
  clock.advance(4000);
  await assert.rejects(over, { code: 'dialog-gone' });
});

test('RFC 3311 §5.2: UPDATEs collide with INVITEs and with each other', async () => {
  const { dialog, send, last, toTag, ack, requests } = await session();
  ack();
  void dialog.request('UPDATE', { body: 'offer' });
  await settle();
  assert.equal(requests('UPDATE').length, 1);
  for (const method of ['UPDATE', 'INVITE']) {
    send(method, { cseq: method === 'UPDATE' ? 2 : 3, toTag, body: 'offer' });
    assert.equal(last().status, 491, method);
  }
  await assert.rejects(dialog.reinvite({}), { code: 'not-possible', status: 491 });
  dialog.on('request', () => undefined);
  send('UPDATE', { cseq: 4, toTag });
  send('UPDATE', { cseq: 5, toTag });
  assert.equal(last().status, 500);
  assert.ok(last().headers.has('Retry-After'));
});
