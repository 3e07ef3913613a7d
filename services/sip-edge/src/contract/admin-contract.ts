// The contract of the admin port itself: authentication, routes, what is refused and what a lost application leaves.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tagOf } from '@sidestream/sip';
import { AdminSocket } from './admin-socket.js';
import { ContractBench } from './contract-bench.js';
import { connectApp, type DrachtioApp, next } from './drachtio-app.js';
import type { EdgeUnderTest } from './edge-handle.js';
import { answer, RawCall, sdp } from './raw-call.js';

export function adminContract(under: EdgeUnderTest): void {
  describe('the admin port', () => {
    const bench = new ContractBench(under);

    test('authenticate: OK with listeners and a version; ping: pong; route and remove_route: OK', async () => {
      const client = await AdminSocket.open(bench.edge);
      const ok = await client.ask(`authenticate|${bench.edge.admin.secret}|`);
      assert.equal(ok[3], 'OK');
      assert.ok(ok[4]?.includes(`udp/${bench.edge.udp.host}:${bench.edge.udp.port}`));
      assert.match(ok[5] ?? '', /^v\d+\.\d+\.\d+/);
      assert.deepEqual((await client.ask('ping')).slice(3), ['OK', 'pong']);
      assert.deepEqual((await client.ask('route|invite')).slice(3), ['OK']);
      assert.deepEqual((await client.ask('remove_route|invite')).slice(3), ['OK']);
      client.close();
    });

    test('a wrong secret is refused and the connection closed', async () => {
      const client = await AdminSocket.open(bench.edge);
      assert.deepEqual((await client.ask('authenticate|nope|')).slice(3), ['NO', 'incorrect secret']);
      await client.closed;
    });

    test('drachtio-srf learns of a wrong secret by its connect event', async () => {
      const { edge } = bench;
      const app = connectApp({ ...edge, admin: { ...edge.admin, secret: 'nope' } }, (srf) => {
        srf.on('connect', () => srf.disconnect());
      });
      await assert.rejects(app, /failed to authenticate/);
    });

    test('a length that is no number closes the connection without a word', async () => {
      const client = await AdminSocket.open(bench.edge);
      client.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      await client.closed;
      assert.equal(client.frames.length, 0);
    });

    test('an unknown frame type is refused and the connection closed', async () => {
      const client = await AdminSocket.open(bench.edge);
      await client.ask(`authenticate|${bench.edge.admin.secret}|`);
      assert.deepEqual((await client.ask('nonsense')).slice(3), ['NO', 'Unknown message type']);
      await client.closed;
    });

    test('INVITEs go round the applications', async () => {
      const counts = [0, 0];
      const apps = await Promise.all(
        counts.map((_, index) =>
          connectApp(bench.edge, (app) =>
            app.invite((_request, reply) => {
              counts[index] = (counts[index] ?? 0) + 1;
              reply.send(486);
            }),
          ),
        ),
      );
      await bench.run(noRoutes, async ({ peer }) => {
        const caller = await peer.udp();
        for (let call = 0; call < 6; call += 1) {
          new RawCall(caller).send('INVITE');
          await caller.response(486);
        }
      });
      for (const app of apps) app.disconnect();
      assert.deepEqual(counts, [3, 3]);
    });

    test('an application that has gone: its dialogs get 481, new calls 503', async () => {
      await bench.run(noRoutes, async ({ peer }) => {
        const app = await connectApp(bench.edge, (srf) =>
          srf.invite(async (request, reply) => {
            srf.emit('answered', await srf.createUAS(request, reply, { localSdp: sdp(41_000) }));
          }),
        );
        const caller = await peer.udp();
        const call = new RawCall(caller);
        const answered = next(app, 'answered');
        await call.establish();
        await answered;
        const closed = next(app, 'close');
        app.disconnect();
        await closed;
        call.send('BYE');
        await caller.response(481, 'BYE');
        new RawCall(caller).send('INVITE');
        await caller.response(503, 'INVITE');
      });
    });
  });

  describe('what sip-edge does beyond drachtio-server', { skip: under.referenceOnly }, () => {
    const bench = new ContractBench(under);

    test('nothing but authenticate is taken from a client that has not proved who it is', async () => {
      const client = await AdminSocket.open(bench.edge);
      assert.deepEqual((await client.ask('route|invite')).slice(3), ['NO', 'not authenticated']);
      await client.closed;
    });

    test('a client that says nothing is closed', async () => {
      const client = await AdminSocket.open(bench.edge);
      await client.closed;
      assert.equal(client.frames.length, 0);
    });

    test('a frame far above 12,228 bytes goes out like any other', () =>
      bench.run(noRoutes, async ({ app, peer }) => {
        const callee = await peer.tcpServer();
        const body = 'x'.repeat(100_000);
        const headers = { 'Content-Type': 'text/plain' };
        const request = await app.request(`sip:a@127.0.0.1:${callee.address.port};transport=tcp`, {
          method: 'MESSAGE',
          headers,
          body,
        });
        const responded = next(request, 'response');
        const message = await callee.request('MESSAGE');
        assert.equal(message.body.length, body.length);
        answer(callee, message, 200);
        await responded;
      }));

    test('an INVITE that waits for an application that goes is answered 503, one that it placed is cancelled', () =>
      bench.run(noRoutes, async ({ peer }) => {
        const app = await connectApp(bench.edge, (srf) => srf.invite(() => srf.emit('arrived')));
        const caller = await peer.udp();
        const callee = await peer.udp();
        const arrived = next(app, 'arrived');
        const call = new RawCall(caller);
        call.send('INVITE');
        await arrived;
        // Its fate is of no interest to an application that goes.
        app.createUAC(`sip:b@127.0.0.1:${callee.address.port}`, { localSdp: sdp(1) }).catch(() => undefined);
        const invite = await callee.request('INVITE');
        answer(callee, invite, 180);
        app.disconnect();
        await caller.response(503, 'INVITE');
        const cancel = await callee.request('CANCEL');
        answer(callee, cancel, 200);
        // The answer crosses the CANCEL: it is acknowledged and hung up.
        answer(callee, invite, 200, { body: sdp(2) });
        assert.equal(tagOf((await callee.request('ACK')).to), 'raw-tag');
        answer(callee, await callee.request('BYE'), 200);
      }));
  });
}

const noRoutes = (_app: DrachtioApp): void => undefined;
