import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, test } from 'node:test';
import { parseHostPort, SidestreamError } from '@sidestream/service';
import {
  type DialogState,
  dialogFromResponse,
  formatRAck,
  Headers,
  isReliableProvisional,
  newCallId,
  newTag,
  rackFor,
  requestInDialog,
  SipRequest,
  type SipResponse,
  TransactionLayer,
  Transports,
} from '@sidestream/sip';
import type { IncomingInvite } from '../domain/ports.js';
import { silent } from '../testing/fake-world.js';
import { TestEdge } from '../testing/test-edge.js';
import { DrachtioTrunking } from './drachtio-trunking.js';

let edge: TestEdge;
let trunking: DrachtioTrunking;
const arrivals = new EventEmitter();

before(async () => {
  edge = await TestEdge.start();
  trunking = new DrachtioTrunking({
    edge: edge.admin,
    secret: edge.secret,
    clock: () => performance.now(),
    log: silent,
    onInvite: (invite) => arrivals.emit('invite', invite),
    onOptions: () => ({ status: 200, headers: {} }),
    loginOf: () => undefined,
    onEdge: (up) => up && arrivals.emit('up'),
  });
  const up = once(arrivals, 'up');
  trunking.connect();
  await up;
});

after(async () => {
  trunking.close();
  await edge.stop();
});

/** A caller made of transactions alone, so that the test decides when a PRACK goes out. */
class Caller extends EventEmitter<{ provisional: [SipResponse]; final: [SipResponse] }> {
  readonly #transports = new Transports();
  readonly #layer = new TransactionLayer({ transports: this.#transports });
  #dialog: DialogState | undefined;
  readonly statuses: string[] = [];

  async call(headers: Record<string, string>, offer = 'v=0\r\noffer'): Promise<IncomingInvite> {
    const local = await this.#transports.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
    const flow = await this.#transports.flow({ protocol: 'udp', ...parseHostPort(edge.sip), local });
    const request = new SipRequest({
      method: 'INVITE',
      uri: `sip:+15550001@${edge.sip}`,
      headers: new Headers([
        ['From', `<sip:+15559999@carrier.example>;tag=${newTag()}`],
        ['To', `<sip:+15550001@${edge.sip}>`],
        ['Call-ID', newCallId()],
        ['CSeq', '1 INVITE'],
        ['Max-Forwards', '70'],
        ['Contact', `<sip:ann@${local.host}:${local.port}>`],
        ['Content-Type', 'application/sdp'],
        ...Object.entries(headers),
      ]),
      body: Buffer.from(offer),
    });
    const arriving = once(arrivals, 'invite');
    const transaction = this.#layer.request(request, flow);
    transaction.on('provisional', (response) => {
      if (response.status === 100) return;
      this.#dialog ??= dialogFromResponse(transaction.request, response);
      this.statuses.push(`${response.status} ${isReliableProvisional(response) ? 'reliable' : 'usual'}`);
      this.emit('provisional', response);
    });
    transaction.on('final', (response) => {
      this.statuses.push(String(response.status));
      this.emit('final', response);
      if (response.status >= 300) return;
      this.#dialog = dialogFromResponse(transaction.request, response);
      void this.#layer.sendStateless(this.#layer.withVia(requestInDialog(this.#dialog, 'ACK').request, flow), flow);
    });
    const [invite] = await arriving;
    return invite;
  }

  /** Acknowledges a reliable response and gives the status of the answer. */
  async prack(response: SipResponse): Promise<number> {
    assert.ok(this.#dialog);
    const headers = new Headers([['RAck', formatRAck(rackFor(response))]]);
    const { dialog, request } = requestInDialog(this.#dialog, 'PRACK', { headers });
    this.#dialog = dialog;
    const flow = await this.#transports.flow({ protocol: 'udp', ...parseHostPort(edge.sip) });
    const [answer] = await once(this.#layer.request(request, flow), 'final');
    return answer.status;
  }

  async close(): Promise<void> {
    this.#layer.close();
    await this.#transports.close();
  }
}

test('RFC 3262 §3: a caller who requires 100rel is rung reliably, one response after the other, and answered after the PRACKs', async () => {
  const caller = new Caller();
  try {
    const invite = await caller.call({ Require: 'timer, 100rel' });
    const first = once(caller, 'provisional');
    await invite.ring(183, 'v=0\r\nearly');
    const ringing = invite.ring(180, undefined);
    const accepting = ringing.then(() => invite.accept('v=0\r\nanswer', 'carrier'));
    const [early] = await first;
    assert.equal(early.body.toString(), 'v=0\r\nearly');
    const second = once(caller, 'provisional');
    assert.equal(await caller.prack(early), 200);
    const [later] = await second;
    const answered = once(caller, 'final');
    assert.equal(await caller.prack(later), 200);
    const leg = await accepting;
    await answered;
    assert.deepEqual(caller.statuses, ['183 reliable', '180 reliable', '200']);
    await leg.bye(undefined, AbortSignal.timeout(100));
  } finally {
    await caller.close();
  }
});

test('a refusal does not wait for a PRACK, and ends the wait of an answer', async () => {
  const caller = new Caller();
  try {
    const invite = await caller.call({ Require: '100rel' });
    const answered = once(caller, 'final');
    await invite.ring(183, 'v=0\r\nearly');
    const rejected = assert.rejects(invite.accept('v=0\r\nanswer', 'carrier'), SidestreamError);
    await invite.refuse(486);
    await answered;
    await rejected;
    assert.equal(caller.statuses.at(-1), '486');
  } finally {
    await caller.close();
  }
});

test('a caller who only supports 100rel, or does not know it, is rung as usual', async () => {
  for (const headers of [{ Supported: '100rel' }, {}]) {
    const caller = new Caller();
    try {
      const invite = await caller.call(headers);
      const rung = once(caller, 'provisional');
      const answered = once(caller, 'final');
      await invite.ring(183, 'v=0\r\nearly');
      await rung;
      const leg = await invite.accept('v=0\r\nanswer', 'carrier');
      await answered;
      assert.deepEqual(caller.statuses, ['183 usual', '200']);
      await leg.bye(undefined, AbortSignal.timeout(100));
    } finally {
      await caller.close();
    }
  }
});

test('RFC 3261 §13.2.1: a caller who requires 100rel and makes no offer is not rung, because that would have to carry ours', async () => {
  const caller = new Caller();
  const invite = await caller.call({ Require: '100rel' }, '');
  const heard = once(caller, 'final');
  await invite.ring(180, undefined);
  await invite.refuse(486);
  await heard;
  assert.deepEqual(caller.statuses, ['486']);
  await caller.close();
});
