import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../transaction/scripted-flow.js';
import { type ReferProgress, referTo } from './refer.js';
import { invite } from './scripted-invite.js';
import { session } from './scripted-peer.js';

const allow = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'REFER', 'NOTIFY'];

function notification(event: string, state: string, body: string) {
  return {
    headers: [
      ['Event', event],
      ['Subscription-State', state],
      ['Content-Type', 'message/sipfrag'],
    ] as [string, string][],
    body,
  };
}

/** A dialog of ours in which we have sent REFERs, and what has come of them. */
async function referring() {
  const world = await invite({}, 'tcp', { allow });
  await world.respond(200);
  const { dialog } = world.session();
  const heard: string[] = [];
  dialog.on('referProgress', ({ refer, status, reason, terminated }: ReferProgress) =>
    heard.push(`${refer} ${status} ${reason}${terminated ? ', over' : ''}`),
  );
  const statusOf = async (o: Parameters<typeof world.receive>[1]): Promise<number> => {
    const answer = await world.receive('NOTIFY', o);
    return answer.kind === 'response' ? answer.status : 0;
  };
  return { ...world, dialog, heard, statusOf };
}

test('RFC 3515 §2.4.4: NOTIFYs of a REFER of ours come as events until the last, even before its 202', async () => {
  const { dialog, sent, respond, heard, statusOf } = await referring();
  const referred = dialog.refer('<sip:carol@example.com>');
  await settle();
  const [refer] = sent('REFER');
  assert.deepEqual([refer?.headers.get('Refer-To'), refer?.contacts.length], ['<sip:carol@example.com>', 1]);
  assert.equal(await statusOf(notification('refer', 'active;expires=60', 'SIP/2.0 100 Trying\r\n')), 200);
  await respond(202, 'fork-1', refer);
  assert.equal((await referred).status, 202);
  assert.equal(await statusOf(notification('refer;id=2', 'terminated;reason=noresource', 'SIP/2.0 200 OK')), 200);
  assert.deepEqual(heard, ['2 100 Trying', '2 200 OK, over']);
  assert.equal(await statusOf(notification('refer;id=2', 'active', 'SIP/2.0 200 OK')), 481, 'nothing more is expected');
});

test('RFC 3515 §2.4.6: the id tells several REFERs apart', async () => {
  const { dialog, heard, statusOf } = await referring();
  for (const to of ['<sip:carol@example.com>', '<sip:dave@example.com>']) {
    void dialog.refer(to);
    await settle();
  }
  await statusOf(notification('refer;id=3', 'active', 'SIP/2.0 180 Ringing'));
  await statusOf(notification('refer;id=2', 'terminated', 'SIP/2.0 486 Busy Here'));
  assert.deepEqual(heard, ['3 180 Ringing', '2 486 Busy Here, over']);
});

test('a refused REFER has no NOTIFYs; one that cannot be read is 400, one about something else the owner’s', async () => {
  const { dialog, sent, respond, heard, statusOf } = await referring();
  const referred = dialog.refer('<sip:carol@example.com>');
  await settle();
  assert.equal(await statusOf(notification('refer', 'active', 'no status line')), 400);
  await respond(603, 'fork-1', sent('REFER')[0]);
  assert.equal((await referred).status, 603);
  assert.equal(await statusOf(notification('refer', 'active', 'SIP/2.0 100 Trying')), 481);
  assert.equal(await statusOf(notification('presence', 'active', '')), 481);
  dialog.on('request', (request) => void request.respond(200));
  assert.equal(await statusOf(notification('presence', 'active', '')), 200);
  assert.deepEqual(heard, []);
});

test('RFC 3515 §2.4.2, §2.4.4: a REFER of the peer comes as a request, and NOTIFYs tell how it goes on', async () => {
  const { dialog, send, last, toTag, ack, requests } = await session({ allow });
  ack();
  dialog.on('request', async (request) => {
    assert.equal(referTo(request.request).uri, 'sip:carol@example.com');
    await request.respond(202);
    void dialog.notifyRefer(request.request, 100);
    await settle();
    void dialog.notifyRefer(request.request, 486);
  });
  send('REFER', { cseq: 2, toTag, headers: [['Refer-To', 'Carol <sip:carol@example.com>']] });
  await settle();
  await settle();
  assert.deepEqual(
    requests('NOTIFY').map(({ headers, body }) => [
      headers.get('Event'),
      headers.get('Subscription-State'),
      headers.get('Content-Type'),
      String(body),
    ]),
    [
      ['refer;id=2', 'active;expires=60', 'message/sipfrag;version=2.0', 'SIP/2.0 100 Trying\r\n'],
      ['refer;id=2', 'terminated;reason=noresource', 'message/sipfrag;version=2.0', 'SIP/2.0 486 Busy Here\r\n'],
    ],
  );
  for (const headers of [[], [['Refer-To', '<sip:a@b>, <sip:c@d>']], [['r', 'nonsense']]] as [string, string][][]) {
    send('REFER', { cseq: 3, toTag, headers });
    assert.equal(last().status, 400);
  }
});

test('a REFER that nobody listens for is declined', async () => {
  const { send, last, toTag, ack } = await session({ allow });
  ack();
  send('REFER', { cseq: 2, toTag, headers: [['Refer-To', '<sip:carol@example.com>']] });
  assert.equal(last().status, 603);
});
