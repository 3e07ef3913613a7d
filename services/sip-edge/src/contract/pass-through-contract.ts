// The contract: what an edge hands through without a part of its own: credentials, REGISTER, MESSAGE, OPTIONS.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tagOf } from '@sidestream/sip';
import { ContractBench } from './contract-bench.js';
import { type AppMessage, type AppRequest, type DrachtioApp, next } from './drachtio-app.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { answer, RawCall, sdp } from './raw-call.js';

const challenge = 'Digest realm="app", nonce="n1", algorithm=MD5, qop="auth"';
const noRoutes = (_app: DrachtioApp): void => undefined;

export function passThroughContract(under: EdgeUnderTest): void {
  describe('credentials', () => {
    const bench = new ContractBench(under);

    test('the application challenges: the second INVITE is a new request of the same dialog id', () =>
      bench.run(
        (app) =>
          app.invite(async (request, reply) => {
            if (!request.has('Authorization')) {
              reply.send(401, { headers: { 'WWW-Authenticate': challenge } });
              return;
            }
            app.emit('answered', request, await app.createUAS(request, reply, { localSdp: sdp(41_000) }));
          }),
        async ({ app, peer }) => {
          const caller = await peer.udp();
          const call = new RawCall(caller);
          const answered = next(app, 'answered');
          const first = call.send('INVITE', { body: sdp(40_000) });
          const unauthorised = await caller.response(401);
          assert.equal(unauthorised.headers.get('WWW-Authenticate'), challenge);
          call.toTag = tagOf(unauthorised.to) ?? '';
          assert.ok(call.toTag);
          call.send('ACK', { cseq: 1, branch: first.topVia.parameters.get('branch') ?? '' });
          call.toTag = '';
          const credentials = 'Digest username="bob",realm="app",nonce="n1",uri="sip:x",response="0"';
          call.send('INVITE', { body: sdp(40_000), headers: { Authorization: credentials } });
          const ok = await caller.response(200, 'INVITE');
          call.toTag = tagOf(ok.to) ?? '';
          call.send('ACK', { cseq: 2 });
          const [request, dialog] = (await answered) as [AppRequest, { id: string }];
          assert.equal(request.get('Authorization'), credentials);
          assert.equal(dialog.id, call.dialogId);
        },
      ));

    test('a challenged REGISTER is sent again with credentials; the Contact is the application’s alone', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const registrar = await peer.udp();
        const uri = `sip:127.0.0.1:${registrar.address.port}`;
        const contact = '<sip:bob@192.0.2.7:5190>;expires=300';
        const request = await app.request(uri, {
          method: 'REGISTER',
          auth: { username: 'bob', password: 'secret' },
          headers: { From: '<sip:bob@example.com>', To: '<sip:bob@example.com>', Contact: contact },
        });
        const responded = next(request, 'response');
        const first = await registrar.request('REGISTER');
        assert.equal(first.headers.get('Authorization'), undefined);
        answer(registrar, first, 407, { headers: { 'Proxy-Authenticate': challenge } });
        const second = await registrar.request('REGISTER');
        assert.match(second.headers.get('Proxy-Authorization') ?? '', /username="bob"/);
        assert.equal(second.callId, first.callId);
        assert.equal(second.cseq.number, first.cseq.number + 1);
        assert.equal(second.headers.get('Contact'), contact);
        answer(registrar, second, 200);
        assert.equal(((await responded) as [AppMessage])[0].status, 200);
      }));
  });

  describe('requests outside dialogs', () => {
    const bench = new ContractBench(under);

    test('REGISTER of the peer: what the application answers goes out as it is', () =>
      bench.run(
        (app) =>
          app.register((request, reply) => {
            const headers = { Contact: request.get('Contact'), Expires: '120', 'X-Got': request.get('Expires') };
            reply.send(200, { headers });
          }),
        async ({ peer }) => {
          const phone = await peer.udp();
          new RawCall(phone).send('REGISTER', { headers: { Expires: '300', Contact: '<sip:bob@192.0.2.7>;q=0.5' } });
          const ok = await phone.response(200, 'REGISTER');
          assert.equal(ok.headers.get('Contact'), '<sip:bob@192.0.2.7>;q=0.5');
          assert.equal(ok.headers.get('Expires'), '120');
          assert.equal(ok.headers.get('X-Got'), '300');
          assert.ok(tagOf(ok.to));
        },
      ));

    test('MESSAGE: UTF-8 both ways', () =>
      bench.run(
        (app) =>
          app.message((request, reply) => reply.send(202, { headers: { 'X-Length': String(request.body.length) } })),
        async ({ app, peer }) => {
          const phone = await peer.udp();
          const text = 'Grüß Gott, 世界';
          new RawCall(phone).send('MESSAGE', { body: text, headers: { 'Content-Type': 'text/plain' } });
          assert.equal((await phone.response(202, 'MESSAGE')).headers.get('X-Length'), String(text.length));
          const request = await app.request(`sip:bob@127.0.0.1:${phone.address.port}`, {
            method: 'MESSAGE',
            headers: { 'Content-Type': 'text/plain' },
            body: text,
          });
          const responded = next(request, 'response');
          const message = await phone.request('MESSAGE');
          assert.equal(message.body.toString(), text);
          assert.deepEqual(message.contacts, []);
          answer(phone, message, 200);
          assert.equal(((await responded) as [AppMessage])[0].status, 200);
        },
      ));
  });
}
