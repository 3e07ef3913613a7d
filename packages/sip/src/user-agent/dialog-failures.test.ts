import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../transaction/scripted-flow.js';
import { invite } from './scripted-invite.js';

test('RFC 3261 §12.2.1.2: 481 ends the dialog; no answer ends it too, with a BYE', async () => {
  const gone = await invite();
  await gone.respond(200);
  const ended: string[] = [];
  gone.session().dialog.on('ended', (reason) => ended.push(reason));
  const info = gone.session().dialog.request('INFO');
  await settle();
  await gone.respond(481, 'fork-1', gone.sent('INFO')[0]);
  assert.equal((await info).status, 481);
  assert.deepEqual(ended, ['error']);
  assert.equal(gone.agent.dialogs, 0);
  await assert.rejects(gone.session().dialog.request('INFO'), { code: 'dialog-gone' });

  const dead = await invite({}, 'udp');
  await dead.respond(200);
  const unanswered = dead.session().dialog.request('INFO');
  await settle();
  dead.clock.advance(32_000);
  await assert.rejects(unanswered, { code: 'timed-out' });
  await settle();
  assert.equal(dead.sent('BYE').length, 1);
  assert.equal(dead.agent.dialogs, 0);
});

test('RFC 5057 §5.1: a failure that destroys the dialog or its usage ends it with a BYE, any other leaves it', async () => {
  for (const [method, status, ends] of [
    ['INVITE', 404, true],
    ['INVITE', 480, true],
    ['OPTIONS', 483, true],
    ['INVITE', 488, false],
    ['INFO', 501, false],
    ['OPTIONS', 481, false],
  ] as const) {
    const { respond, session, sent, agent } = await invite();
    await respond(200);
    const { dialog } = session();
    const asked = method === 'INVITE' ? dialog.reinvite({}) : dialog.request(method);
    await settle();
    await respond(status, 'fork-1', sent(method).at(-1));
    assert.equal((await asked).status, status);
    assert.deepEqual([sent('BYE').length, agent.dialogs], ends ? [1, 0] : [0, 1], `${status} to ${method}`);
  }
});

test('RFC 5057 §5.2: a request that belongs to no usage may time out without effect on the dialog', async () => {
  const { respond, session, sent, agent, clock } = await invite({}, 'udp');
  await respond(200);
  const unanswered = session().dialog.request('OPTIONS');
  await settle();
  clock.advance(32_000);
  await assert.rejects(unanswered, { code: 'timed-out' });
  await settle();
  assert.deepEqual([sent('BYE').length, agent.dialogs], [0, 1]);
});
