import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, type TestContext, test } from 'node:test';
import { Headers, type IncomingInvite, type SipRequest, type SipResponse } from '@sidestream/sip';
import type { RecorderHandlers } from '../domain/ports.js';
import { goodbye, inviteTo, never, RecorderStage } from '../testing/recorder-stage.js';
import type { TestRecorder } from '../testing/test-recorder.js';
import { initialSessionHeaders, RecorderSessionTimer, wantedMinSeconds } from './recorder-session-timer.js';

const stage = await RecorderStage.open();
after(() => stage.close());

const handlers: RecorderHandlers = {
  offer: (offer) => void offer.answer('our answer').catch(() => ''),
  snapshotWanted: () => {},
  doubtful: () => {},
  ended: () => {},
};

type Fields = [string, string][];
const response = (status: number, headers: Fields = []) =>
  ({ status, headers: new Headers(headers) }) as unknown as SipResponse;
const request = (headers: Fields) => ({ headers: new Headers(headers) }) as unknown as SipRequest;

function timed(t: TestContext, accepted: Fields) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const happened: string[] = [];
  let nowMs = 0;
  const timer = new RecorderSessionTimer(response(200, accepted), {
    onRefresh: () => happened.push('refresh'),
    onExpired: () => happened.push('expired'),
    now: () => nowMs,
  });
  const pass = (seconds: number) => {
    nowMs += seconds * 1_000;
    t.mock.timers.tick(seconds * 1_000);
    return happened.splice(0);
  };
  return { timer, pass };
}

test('RFC 4028 §10: we refresh at half of the interval, and end the session when nothing comes of it', (t) => {
  const { timer, pass } = timed(t, [['Session-Expires', '100;refresher=uac']]);
  assert.deepEqual(pass(49), []);
  assert.deepEqual(pass(2), ['refresh']);
  assert.deepEqual(timer.headers, [['Session-Expires', '100;refresher=uac']]);
  timer.responded(response(200, [['Session-Expires', '100;refresher=uac']]));
  assert.deepEqual([pass(40), pass(11)], [[], ['refresh']]);
  assert.deepEqual(pass(50), ['expired']);
});

test('RFC 4028 §10: a recorder that refreshes keeps the session up, one that stops doing so loses it', (t) => {
  const { timer, pass } = timed(t, [['Session-Expires', '300;refresher=uas']]);
  for (let refresh = 0; refresh < 3; refresh++) {
    assert.deepEqual(pass(150), []);
    const said = timer.accept(
      request([
        ['Supported', 'timer'],
        ['Session-Expires', '300;refresher=uac'],
      ]),
    );
    assert.deepEqual(said, [
      ['Session-Expires', '300;refresher=uac'],
      ['Require', 'timer'],
    ]);
  }
  assert.deepEqual(pass(280), ['expired']);
});

test('a recorder without session timers has none; one that is stopped does nothing', (t) => {
  const without = timed(t, []);
  assert.deepEqual([without.timer.headers, without.pass(10_000)], [[], []]);
  t.mock.timers.reset();
  const { timer, pass } = timed(t, [['Session-Expires', '100;refresher=uac']]);
  timer.stop();
  assert.deepEqual(pass(1_000), []);
});

test('RFC 4028 §5: what cannot be read says nothing', (t) => {
  const { timer, pass } = timed(t, [['Session-Expires', 'soon']]);
  assert.deepEqual([timer.headers, pass(10_000)], [[], []]);
  assert.equal(timer.refusal(request([['Session-Expires', 'soon']])), undefined);
  assert.equal(wantedMinSeconds(response(422, [['Min-SE', 'long']])), undefined);
  assert.deepEqual(initialSessionHeaders(600).at(0), ['Session-Expires', '1800']);
});

async function established(onInvite: (invite: IncomingInvite, recorder: TestRecorder) => void) {
  const recorder = await stage.recorder(onInvite);
  const client = await stage.client([recorder.uri()]);
  const dialog = await client.invite(inviteTo(recorder.uri()), never);
  dialog.listen(handlers);
  return { recorder, dialog };
}

test('RFC 4028 §7.3: 422 is answered by an INVITE with the interval that the recorder wants', async () => {
  const refusing = (invite: IncomingInvite, self: TestRecorder) => {
    if (self.invites.length > 1) self.accept(invite, 'answer');
    else void invite.respond(422, { headers: new Headers([['Min-SE', '7200']]) });
  };
  const { recorder, dialog } = await established(refusing);
  const [first, second] = recorder.invites.map(({ request }) => request.headers);
  assert.deepEqual([first?.get('session-expires'), first?.get('min-se')], ['1800', undefined]);
  assert.deepEqual([second?.get('session-expires'), second?.get('min-se')], ['7200', '7200']);
  assert.equal(second?.get('call-id'), first?.get('call-id'));
  await dialog.bye(goodbye, never);
});

test('RFC 4028 §9: a refresh of the recorder is agreed to, one with too small an interval gets 422', async () => {
  const { recorder, dialog } = await established((invite, self) => void self.accept(invite, 'answer'));
  const [theirs] = recorder.dialogs;
  assert.ok(theirs);
  const asking = (seconds: number) =>
    new Headers([
      ['Supported', 'timer'],
      ['Session-Expires', `${seconds};refresher=uac`],
    ]);
  for (const send of [
    (headers: Headers) => theirs.request('UPDATE', { headers }),
    (headers: Headers) => theirs.reinvite({ headers, body: Buffer.from('offer'), contentType: 'application/sdp' }),
  ]) {
    const small = await send(asking(30));
    assert.deepEqual([small.status, small.headers.get('min-se')], [422, '90']);
    const agreed = await send(asking(300));
    assert.deepEqual(
      [agreed.status, agreed.headers.get('session-expires'), agreed.headers.get('require')],
      [200, '300;refresher=uac', 'timer'],
    );
  }
  const ended = once(theirs, 'ended');
  await dialog.bye(goodbye, never);
  await ended;
});
