// The contract, second half: calls and requests that applications send.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tagOf } from '@sidestream/sip';
import { ContractBench } from './contract-bench.js';
import type { AppMessage, AppReply, AppRequest, DrachtioApp } from './drachtio-app.js';
import { next } from './drachtio-app.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { answer, sdp } from './raw-call.js';
import { RawPeer } from './raw-peer.js';

const offer = sdp(42_000);
const noRoutes = (_app: DrachtioApp): void => undefined;

export function uacContract(under: EdgeUnderTest): void {
  describe('calls that go out', () => {
    const bench = new ContractBench(under);

    for (const transport of ['udp', 'tcp'] as const) {
      test(`${transport}: INVITE, 180, 200, ACK, INFO and re-INVITE of the peer, BYE of the application`, () =>
        bench.run(noRoutes, async ({ app, edge, peer }) => {
          const callee = await (transport === 'udp' ? peer.udp() : peer.tcpServer());
          const uri = `sip:bob@127.0.0.1:${callee.address.port}${transport === 'tcp' ? ';transport=tcp' : ''}`;
          const provisionals: number[] = [];
          const calling = app.createUAC(
            uri,
            { localSdp: offer, headers: { From: '"Ünï" <sip:alice@localhost>', 'X-Added': 'yes' } },
            { cbProvisional: (response) => provisionals.push(response.status) },
          );
          const invite = await callee.request('INVITE');
          assert.equal(invite.uri, uri);
          assert.equal(invite.headers.get('X-Added'), 'yes');
          assert.equal(invite.headers.get('Max-Forwards'), '70');
          assert.equal(invite.from.displayName, 'Ünï');
          assert.equal(invite.from.uri, `sip:alice@127.0.0.1:${edge[transport].port}`);
          // In drachtio-server the parameters slip out of the brackets.
          assert.equal(invite.to.uri, under.referenceOnly ? uri.replace(';transport=tcp', '') : uri);
          assert.equal(invite.topVia.port, edge[transport].port);
          assert.match(invite.contacts[0]?.uri ?? '', new RegExp(`^sip:127.0.0.1:${edge[transport].port}`));
          assert.equal(invite.body.toString(), offer);
          answer(callee, invite, 100);
          answer(callee, invite, 180);
          answer(callee, invite, 200, { body: sdp(43_000) });
          const dialog = await calling;
          const ack = await callee.request('ACK');
          assert.equal(ack.cseq.number, invite.cseq.number);
          assert.equal(tagOf(ack.to), 'raw-tag');
          assert.equal(dialog.remote.sdp, sdp(43_000));
          assert.deepEqual(provisionals, [180]);

          const told = next(dialog, 'info');
          const info = invite.clone();
          info.method = 'INFO';
          info.headers.set(
            'Via',
            `SIP/2.0/${callee.protocol} 127.0.0.1:${callee.address.port};rport;branch=z9hG4bKinfo`,
          );
          info.headers.set('From', `<sip:bob@127.0.0.1>;tag=raw-tag`);
          info.headers.set('To', invite.headers.get('From') ?? '');
          info.headers.set('CSeq', '1 INFO');
          callee.send(info);
          const [, infoReply] = (await told) as [AppRequest, AppReply];
          infoReply.send(202);
          await callee.response(202, 'INFO');

          const modified = next(dialog, 'modify');
          const reinvite = info.clone();
          reinvite.method = 'INVITE';
          reinvite.headers.set('Via', (info.headers.get('Via') ?? '').replace('z9hG4bKinfo', 'z9hG4bKreinvite'));
          reinvite.headers.set('CSeq', '2 INVITE');
          reinvite.headers.set('Contact', `<${uri}>`);
          callee.send(reinvite);
          const [, reinviteReply] = (await modified) as [AppRequest, AppReply];
          reinviteReply.send(200, { body: sdp(42_002) });
          assert.equal((await callee.response(200, 'INVITE')).body.toString(), sdp(42_002));
          const reAck = reinvite.clone();
          reAck.method = 'ACK';
          reAck.headers.set('CSeq', '2 ACK');
          reAck.headers.set('Via', (info.headers.get('Via') ?? '').replace('z9hG4bKinfo', 'z9hG4bKack'));
          const acknowledged = next(dialog, 'ack');
          callee.send(reAck);
          await acknowledged;

          const destroyed = dialog.destroy();
          const bye = await callee.request('BYE');
          answer(callee, bye, 200);
          await destroyed;
        }));
    }

    test('RFC 3261 §13.2.2.4: a copy of the 200 is answered with a copy of the ACK', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { localSdp: offer });
        const invite = await callee.request('INVITE');
        answer(callee, invite, 200, { body: sdp(43_000) });
        await calling;
        const first = await callee.request('ACK');
        answer(callee, invite, 200, { body: sdp(43_000) });
        const second = await callee.request('ACK');
        assert.equal(second.headers.get('Via'), first.headers.get('Via'));
      }));

    test('486: the edge acknowledges, the application gets the status', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { localSdp: offer });
        const rejected = assert.rejects(calling, { status: 486 });
        const invite = await callee.request('INVITE');
        answer(callee, invite, 486);
        const ack = await callee.request('ACK');
        assert.equal(ack.topVia.parameters.get('branch'), invite.topVia.parameters.get('branch'));
        await rejected;
      }));

    test('RFC 3261 §9.1: CANCEL waits for a provisional response, then 487 ends the call', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        let calling: Promise<unknown> | undefined;
        const sent = new Promise<AppRequest>((resolve) => {
          const cbRequest = (_error: unknown, request: AppRequest): void => resolve(request);
          calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { localSdp: offer }, { cbRequest });
        });
        const rejected = assert.rejects(calling ?? Promise.resolve(), { status: 487 });
        const invite = await callee.request('INVITE');
        const request = await sent;
        await new Promise<void>((resolve, reject) => {
          request.cancel((error) => (error ? reject(error) : resolve()));
        });
        assert.equal(
          callee.unread.some((message) => message.kind === 'request' && message.method === 'CANCEL'),
          false,
        );
        answer(callee, invite, 180);
        const cancel = await callee.request('CANCEL');
        assert.equal(cancel.topVia.parameters.get('branch'), invite.topVia.parameters.get('branch'));
        answer(callee, cancel, 200);
        answer(callee, invite, 487);
        await rejected;
        await callee.request('ACK');
      }));

    test('digest: a challenged INVITE and a challenged BYE are sent again with credentials', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const auth = { username: 'bob', password: 'secret' };
        const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { localSdp: offer, auth });
        const challenge = 'Digest realm="r", nonce="n", qop="auth"';
        const first = await callee.request('INVITE');
        answer(callee, first, 401, { headers: { 'WWW-Authenticate': challenge } });
        await callee.request('ACK');
        const second = await callee.request('INVITE');
        assert.match(second.headers.get('Authorization') ?? '', /username="bob"/);
        assert.equal(second.callId, first.callId);
        assert.equal(tagOf(second.from), tagOf(first.from));
        assert.equal(second.cseq.number, first.cseq.number + 1);
        answer(callee, second, 200, { body: sdp(43_000) });
        const dialog = await calling;
        await callee.request('ACK');
        const destroyed = dialog.destroy();
        answer(callee, await callee.request('BYE'), 407, { headers: { 'Proxy-Authenticate': challenge } });
        const bye = await callee.request('BYE');
        assert.match(bye.headers.get('Proxy-Authorization') ?? '', /username="bob"/);
        answer(callee, bye, 200);
        await destroyed;
      }));

    test('opts.proxy decides where the request goes, not what it says', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const proxy = await peer.udp();
        const options = { localSdp: offer, proxy: `sip:127.0.0.1:${proxy.address.port}` };
        const rejected = assert.rejects(app.createUAC('sip:x@192.0.2.1', options), { status: 404 });
        const invite = await proxy.request('INVITE');
        assert.equal(invite.uri, 'sip:x@192.0.2.1');
        answer(proxy, invite, 404);
        await rejected;
      }));

    test('OPTIONS: the response comes back outside any dialog', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const request = await app.request(`sip:bob@127.0.0.1:${callee.address.port}`, { method: 'OPTIONS' });
        const responded = next(request, 'response');
        answer(callee, await callee.request('OPTIONS'), 200);
        const [response] = (await responded) as [AppMessage];
        assert.equal(response.status, 200);
        assert.equal(response.stackDialogId, '');
      }));

    test('a port that refuses TCP: 503 at once', () =>
      bench.run(noRoutes, async ({ app, edge }) => {
        const gone = await RawPeer.tcpServer(edge.tcp);
        await gone.close();
        const calling = app.createUAC(`sip:x@127.0.0.1:${gone.address.port};transport=tcp`, { localSdp: offer });
        await assert.rejects(calling, { status: 503 });
      }));

    for (const [name, uri, options, reason] of [
      ['a request to the edge itself', 'self', { localSdp: offer }, 'can not send request to myself'],
      [
        'a transport without a listener',
        'sip:x@127.0.0.1:9;transport=tls',
        { localSdp: offer },
        'requested protocol/transport not available',
      ],
      ['a body of unknown type', 'sip:x@127.0.0.1:9', { localSdp: 'hello' }, 'missing content-type'],
    ] as const) {
      test(`refused with the words of drachtio-server: ${name}`, () =>
        bench.run(noRoutes, async ({ app, edge }) => {
          const to = uri === 'self' ? `sip:x@${edge.udp.host}:${edge.udp.port}` : uri;
          await assert.rejects(app.createUAC(to, options), { message: reason });
        }));
    }
  });

  describe('an application that never acknowledges', { skip: under.referenceOnly }, () => {
    const bench = new ContractBench(under, { t1: 10 });

    test('the edge sends ACK and BYE after 64*T1', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { noAck: true });
        const invite = await callee.request('INVITE');
        answer(callee, invite, 200, { body: sdp(43_000) });
        await calling;
        await callee.request('ACK');
        const bye = await callee.request('BYE');
        assert.equal(bye.headers.get('Reason'), 'SIP;cause=200;text="ACK timeout"');
      }));
  });

  describe('names', { skip: under.referenceOnly }, () => {
    const bench = new ContractBench(under);

    test('a host name is looked up; one that does not exist is 503', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const uri = `sip:bob@localhost:${callee.address.port}`;
        const rejected = assert.rejects(app.createUAC(uri, { localSdp: offer }), { status: 404 });
        const invite = await callee.request('INVITE');
        assert.equal(invite.uri, uri);
        answer(callee, invite, 404);
        await rejected;
        await assert.rejects(app.createUAC('sip:bob@nobody.invalid', { localSdp: offer }), { status: 503 });
      }));
  });

  describe('a peer that never answers', { skip: under.referenceOnly }, () => {
    const bench = new ContractBench(under, { t1: 10 });

    test('Timer B: 408 after 64*T1', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { localSdp: offer });
        await assert.rejects(calling, { status: 408 });
      }));
  });

  describe('forks', { skip: under.referenceOnly }, () => {
    const bench = new ContractBench(under);

    test('RFC 3261 §13.2.2.4: the second 200 gets an ACK with its own tag, and a BYE', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.udp();
        const calling = app.createUAC(`sip:bob@127.0.0.1:${callee.address.port}`, { localSdp: offer });
        const invite = await callee.request('INVITE');
        answer(callee, invite, 200, { toTag: 'first', body: sdp(43_000) });
        const dialog = await calling;
        assert.equal(tagOf((await callee.request('ACK')).to), 'first');
        answer(callee, invite, 200, { toTag: 'second', body: sdp(43_000) });
        assert.equal(tagOf((await callee.request('ACK')).to), 'second');
        const bye = await callee.request('BYE');
        assert.equal(tagOf(bye.to), 'second');
        answer(callee, bye, 200);
        answer(callee, invite, 200, { toTag: 'second', body: sdp(43_000) });
        assert.equal(tagOf((await callee.request('ACK')).to), 'second');
        assert.equal(dialog.sip.remoteTag, 'first');
        assert.equal(dialog.connected, true);
      }));
  });
}
