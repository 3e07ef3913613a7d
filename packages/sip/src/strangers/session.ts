// For tests: our half of the calls in strangers/*.xml. Both sides make a new offer by re-INVITE and another by UPDATE and ask
// OPTIONS, the caller first; sipp hangs up.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Target } from '../transport/flow.js';
import type { IncomingInvite } from '../user-agent/incoming-invite.js';
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
