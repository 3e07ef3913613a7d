import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import type { DialogState } from '../dialog/dialog-state.js';
import { formatHostPort } from '../message/host.js';
import type { Target } from '../transport/flow.js';
import { Transports } from '../transport/transports.js';
import type { IncomingInvite } from './incoming-invite.js';
import type { InviteOptions } from './outgoing-invite.js';
import type { UaDialog } from './ua-dialog.js';
import { UserAgent, type UserAgentOptions } from './user-agent.js';

const sdp = { body: 'v=0\r\n', contentType: 'application/sdp' };
const patience = 5000;

async function party(protocol: 'udp' | 'tcp', options: Partial<UserAgentOptions> = {}) {
  const transports = new Transports();
  const address = await transports.listen({ protocol, host: '127.0.0.1', port: 0 });
  const agent = new UserAgent({ transports, product: 'loopback', ...options });
  const target: Target = { protocol, ...address };
  const contact = `<sip:party@${formatHostPort(address.host, address.port)};transport=${protocol}>`;
  const close = async (): Promise<void> => {
    await agent.close();
    await transports.close();
    assert.equal(agent.dialogs + agent.transactions, 0);
  };
  return { agent, transports, target, contact, close };
}

type Party = Awaited<ReturnType<typeof party>>;

async function withParties(
  protocol: 'udp' | 'tcp',
  work: (a: Party, b: Party) => Promise<void>,
  options: Partial<UserAgentOptions> = {},
): Promise<void> {
  const a = await party(protocol, options);
  const b = await party(protocol, options);
  try {
    await work(a, b);
  } finally {
    await a.close();
    await b.close();
  }
}

function call(a: Party, b: Party, options: Partial<InviteOptions> = {}) {
  return a.agent.invite({
    target: b.target,
    uri: `sip:b@${b.target.host}:${b.target.port}`,
    from: '"A" <sip:a@example.org>',
    contact: a.contact,
    finalTimeoutMs: patience,
    ...sdp,
    ...options,
  });
}

function accepting(b: Party): Promise<{ dialog: UaDialog; invite: IncomingInvite }> {
  return new Promise((resolve) => {
    b.agent.once('invite', (invite) => resolve({ invite, dialog: invite.accept({ contact: b.contact, ...sdp }) }));
  });
}

/** Waits for an event that a deadline turns into a failure. */
async function heard(emitter: unknown, event: string): Promise<unknown[]> {
  assert.ok(emitter instanceof EventEmitter);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error(`${event}: not heard`)), patience);
  try {
    return await once(emitter, event, { signal: deadline.signal });
  } finally {
    clearTimeout(timer);
  }
}

for (const protocol of ['udp', 'tcp'] as const) {
  test(`${protocol}: a session with requests and offers both ways, ended by the caller`, async () => {
    await withParties(protocol, async (a, b) => {
      const taken = accepting(b);
      const ringing: number[] = [];
      const { dialog, response, flow } = await call(a, b, { onProvisional: ({ status }) => ringing.push(status) });
      const { dialog: remote, invite } = await taken;
      assert.equal(response.body.toString(), sdp.body);
      assert.equal(invite.request.from.displayName, 'A');
      assert.equal(flow.protocol, protocol);
      assert.deepEqual(ringing, [100]);

      remote.on('request', (request) => void request.respond(200, { body: 'info' }));
      assert.equal((await dialog.request('INFO')).body.toString(), 'info');
      dialog.on('request', (request) => void request.respond(488));
      assert.equal((await remote.request('UPDATE', sdp)).status, 488);

      remote.on('reinvite', (offer) => offer.accept(sdp));
      assert.equal((await dialog.reinvite(sdp)).status, 200);
      dialog.on('reinvite', (offer) => offer.accept(sdp));
      assert.equal((await remote.reinvite(sdp)).status, 200);

      const ended = heard(remote, 'ended');
      assert.equal((await dialog.bye())?.status, 200);
      assert.deepEqual(await ended, ['remote']);
      assert.equal(a.agent.dialogs + b.agent.dialogs, 0);
    });
  });

  test(`${protocol}: the callee ends the session, after the ACK`, async () => {
    await withParties(protocol, async (a, b) => {
      const taken = accepting(b);
      const { dialog } = await call(a, b);
      const ended = heard(dialog, 'ended');
      assert.equal((await (await taken).dialog.bye())?.status, 200);
      assert.deepEqual(await ended, ['remote']);
    });
  });

  test(`${protocol}: refused, and taken back while it rings`, async () => {
    await withParties(protocol, async (a, b) => {
      b.agent.once('invite', (invite) => void invite.respond(603, { reason: 'No' }));
      await assert.rejects(call(a, b), { code: 'rejected', status: 603 });
      const abort = new AbortController();
      const rings = heard(b.agent, 'invite');
      b.agent.once('invite', (invite) => void invite.respond(180));
      const outgoing = call(a, b, {
        signal: abort.signal,
        onProvisional: ({ status }) => status === 180 && abort.abort(),
      });
      await assert.rejects(outgoing, { code: 'cancelled' });
      const [invite] = await rings;
      assert.ok(invite instanceof EventEmitter);
      await heard(invite, 'cancel');
    });
  });

  test(`${protocol}: RFC 3262, RFC 3311: offer and answer before the 2xx, by a reliable 183 and by UPDATE both ways`, async () => {
    const steps: string[] = [];
    const listen = (dialog: UaDialog | undefined, who: string): void =>
      void dialog?.on('request', (request) => {
        steps.push(`${request.request.method} to ${who}`);
        void request.respond(200, sdp);
      });
    await withParties(
      protocol,
      async (a, b) => {
        b.agent.once('invite', (invite) => {
          void invite.respond(183, { reliable: true, contact: b.contact, ...sdp });
          listen(invite.earlyDialog, 'callee');
          invite.once('prack', async () => {
            steps.push('PRACK');
            await invite.earlyDialog?.request('UPDATE', sdp);
            invite.accept(sdp);
          });
        });
        const early: UaDialog[] = [];
        const { dialog } = await call(a, b, {
          onProvisional: (_, dialog) => {
            if (dialog === undefined) return;
            listen(dialog, 'caller');
            early.push(dialog);
          },
        });
        assert.deepEqual(early, [dialog]);
        assert.deepEqual(steps, ['PRACK', 'UPDATE to caller']);
        assert.equal((await dialog.request('UPDATE', sdp)).status, 200);
        assert.equal((await dialog.bye())?.status, 200);
      },
      { supported: ['100rel'] },
    );
  });

  test(`${protocol}: OPTIONS outside a dialog`, async () => {
    await withParties(protocol, async (a, b) => {
      const response = await a.agent.request({
        target: b.target,
        method: 'OPTIONS',
        uri: 'sip:b@example.org',
        from: '<sip:a@example.org>',
        timeoutMs: patience,
      });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('Server'), 'loopback');
    });
  });

  test(`${protocol}: a dialog kept as JSON is ended by another user agent`, async () => {
    await withParties(protocol, async (a, b) => {
      const taken = accepting(b);
      const { dialog } = await call(a, b);
      const state: DialogState = JSON.parse(JSON.stringify(dialog.state));
      const heir = await party(protocol);
      const ended = heard((await taken).dialog, 'ended');
      assert.equal((await heir.agent.revive(state, b.target).bye())?.status, 200);
      assert.deepEqual(await ended, ['remote']);
      await heir.close();
    });
  });
}

test('tcp: the dialog outlives its connection, which the next request dials again', async () => {
  await withParties('tcp', async (a, b) => {
    const taken = accepting(b);
    const { dialog, flow } = await call(a, b);
    const { dialog: remote, invite } = await taken;
    const closed = Promise.all([heard(dialog, 'flowClosed'), heard(remote, 'flowClosed')]);
    if (!invite.flow.closed) flow.close();
    await closed;
    assert.equal((await remote.request('OPTIONS')).status, 200, 'the callee dials the Contact of the caller');
    assert.equal((await dialog.bye())?.status, 200);
  });
});

test('tcp: nobody listens', async () => {
  await withParties('tcp', async (a, b) => {
    const spare = await party('tcp');
    await spare.close();
    await assert.rejects(call(a, { ...b, target: spare.target }), { code: 'transport-failed' });
  });
});
