// For tests: our half of the calls in strangers/*.xml. Both sides make a new offer by re-INVITE and another by UPDATE and ask
// OPTIONS, the caller first; sipp hangs up. Where it rings reliably, both make a new offer by UPDATE before the answer, the caller
// first, who hangs up.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { eventually } from '@sidestream/peers';
import type { Target } from '../transport/flow.js';
import type { IncomingInvite } from '../user-agent/incoming-invite.js';
import type { IncomingRequest } from '../user-agent/incoming-request.js';
import type { InviteOptions, OutgoingInvite } from '../user-agent/outgoing-invite.js';
import type { UaDialog } from '../user-agent/ua-dialog.js';
import { type Party, sdp, soon } from './party.js';

/** Calls `uri` by way of `target`. */
export function invite(
  party: Party,
  target: Target,
  uri: string,
  options: Partial<InviteOptions> = {},
): Promise<OutgoingInvite> {
  return party.agent.invite({
    target,
    uri,
    from: '<sip:party@127.0.0.1>',
    contact: party.contact,
    finalTimeoutMs: 10_000,
    ...sdp,
    ...options,
  });
}

/** The next call that comes. */
export async function incoming(party: Party): Promise<IncomingInvite> {
  return await new Promise((resolve, reject) => {
    party.agent.once('invite', resolve);
    soon().signal.addEventListener('abort', () => reject(new Error('no call has come')));
  });
}

/** Asks all of the peer that can be asked in a session. */
export async function ask(dialog: UaDialog): Promise<void> {
  assert.equal((await dialog.reinvite(sdp)).status, 200);
  assert.equal((await dialog.request('UPDATE', sdp)).status, 200);
  assert.equal((await dialog.request('OPTIONS')).status, 200);
}

/** Answers what the peer asks in `ask`, and resolves once it has asked the last of it. */
export async function oblige(dialog: UaDialog): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    dialog.on('reinvite', (offer) => offer.accept(sdp));
    dialog.on('request', (request) => {
      const { method } = request.request;
      void request.respond(200, method === 'UPDATE' ? sdp : {});
      if (method === 'OPTIONS') resolve();
    });
    dialog.once('ended', (reason) => reject(new Error(`the dialog has ended: ${reason}`)));
  });
}

/** Places a call to a sipp that runs `uas-call`, to its end. */
export async function placeCall(party: Party, target: Target, uri: string): Promise<void> {
  const { dialog } = await invite(party, target, uri);
  const ended = once(dialog, 'ended', soon());
  // sipp asks as soon as it has answered, so somebody has to listen before.
  await Promise.all([oblige(dialog), ask(dialog)]);
  assert.deepEqual(await ended, ['remote']);
}

/** Takes the call of a sipp that runs `uac-call`, to its end. @returns its INVITE */
export async function takeCall(party: Party): Promise<IncomingInvite> {
  const call = await incoming(party);
  void call.respond(180);
  const dialog = call.accept({ contact: party.contact, ...sdp });
  await oblige(dialog);
  const ended = once(dialog, 'ended', soon());
  await ask(dialog);
  assert.deepEqual(await ended, ['remote']);
  return call;
}

/** Places a call to who rings reliably, to its end. */
export async function placeReliably(party: Party, target: Target, uri: string): Promise<void> {
  let updated: Promise<unknown> | undefined;
  const onProvisional: InviteOptions['onProvisional'] = ({ status }, early) => {
    if (status !== 183 || early === undefined) return;
    updated = Promise.all([updateEarly(party, early), updatedEarly(early)]);
    // Until somebody waits for it.
    updated.catch(() => undefined);
  };
  const { dialog } = await invite(party, target, uri, { onProvisional });
  assert.ok(updated);
  await updated;
  assert.equal((await dialog.bye())?.status, 200);
}

/** Makes a new offer before the INVITE is answered. Not before the PRACK is: sipp fails where one request meets another. */
async function updateEarly(party: Party, dialog: UaDialog): Promise<void> {
  await eventually(() => party.crossed.received.includes('200 PRACK'), 'the PRACK is answered');
  assert.equal((await dialog.request('UPDATE', sdp)).status, 200);
}

/** Takes a call and rings reliably, to the end of the call. @returns its INVITE */
export async function takeReliably(party: Party): Promise<IncomingInvite> {
  const call = await incoming(party);
  const acknowledged = once(call, 'prack', soon());
  await call.respond(183, { reliable: true, contact: party.contact, ...sdp });
  const early = call.earlyDialog;
  assert.ok(early);
  await Promise.all([acknowledged, updatedEarly(early)]);
  assert.equal((await early.request('UPDATE', sdp)).status, 200);
  // The 183 had the answer.
  assert.equal(call.accept(), early);
  assert.deepEqual(await once(early, 'ended', soon()), ['remote']);
  return call;
}

/** Answers the offer that the peer makes before the INVITE is answered. */
async function updatedEarly(dialog: UaDialog): Promise<void> {
  const [update]: IncomingRequest[] = await once(dialog, 'request', soon());
  assert.deepEqual([update?.request.method, dialog.state.state], ['UPDATE', 'early']);
  await update?.respond(200, sdp);
}
