// Two cells on one machine that share NATS: what becomes of one is nothing to the other.
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Deployment, listedSeller } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import type { RecorderSimulator } from '@sidestream/simulators';
import { lossesOf, RecordedCall } from '../chaos/recorded-call.js';
import { Stage } from '../e2e/stage.js';
import { gauge, startOwnRecorder, startSecondCell, uriAt } from './second-cell.js';

const callsEach = 4;
const underWayMs = 500;
const patienceMs = 60_000;
/** A minute of packets, each of 20 ms: ten times as long as leases live (6 s). */
const awayPackets = 3_000;

/** A wire to NATS that can be cut: connections are destroyed and refused until it is mended. */
async function wireTo(t: TestContext, port: number): Promise<{ url: string; cut(): void; mend(): void }> {
  const sockets = new Set<Socket>();
  let whole = true;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((outer) => {
    keep(outer);
    if (!whole) return void outer.destroy();
    const inner = keep(connect(port, '127.0.0.1'));
    outer.pipe(inner).pipe(outer);
    outer.on('close', () => inner.destroy());
    inner.on('close', () => outer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    drop();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `nats://127.0.0.1:${address.port}`,
    cut: () => {
      whole = false;
      drop();
    },
    mend: () => {
      whole = true;
    },
  };
}

/** The figures of a cell that must not change while the other one suffers. */
async function figures(deployment: Deployment) {
  return {
    calls: await gauge(deployment, 'signalling', 'sidestream_calls_active'),
    recordings: await gauge(deployment, 'signalling', 'sidestream_recordings_active'),
    sessions: await gauge(deployment, 'media-relay', 'sidestream_media_sessions'),
    lost: await gauge(deployment, 'media-relay', 'sidestream_media_sessions_lost_total'),
    refused: await gauge(deployment, 'signalling', 'sidestream_calls_refused_total'),
  };
}

test('a cell that is cut from NATS, and then killed, changes no figure of the other, and goes on with its calls while cut', async (t) => {
  const stage = await Stage.start(t, {
    configure: (config) => {
      config.log = { level: 'warn' };
    },
  });
  if (!stage) return;
  const wire = await wireTo(t, Number(new URL(stage.laboratory.nats.url).port));
  const first = stage.laboratory.deployment;
  const { recorder, uri } = await startOwnRecorder(t, stage);
  const second = await startSecondCell(t, stage, (config) => {
    config.nats.servers = [wire.url];
    config.mediaRelay.region = 'other';
    // The tenant's home is `local` in both files, with another recorder in each.
    config.regions['local'] = { recorders: [uri] };
  });
  const place = (deployment: Deployment, at: RecorderSimulator) =>
    RecordedCall.placeMany(stage, callsEach, uriAt(deployment, listedSeller.number), at);
  const [ours, theirs] = [await place(first, stage.laboratory.recorder), await place(second, recorder)];
  const [one] = ours;
  assert.ok(one);
  assert.deepEqual(await figures(first), { calls: 4, recordings: 4, sessions: 4, lost: 0, refused: 0 });

  assert.deepEqual([stage.laboratory.recorder.active, recorder.active], [callsEach, callsEach]);

  const from = Date.now();
  wire.cut();
  await stage.talk(one.call, awayPackets);
  assert.ok(Date.now() - from > 59_000, 'cut for a minute');
  const whileCut = lossesOf([...ours, ...theirs], { from, until: Date.now() - underWayMs });
  t.diagnostic(`while the other cell was cut from NATS: ${JSON.stringify(whileCut)}`);
  assert.deepEqual([whileCut.atParties, whileCut.atRecorder], [0, 0], 'neither cell loses a packet');
  const cutCall = await stage.inbound(listedSeller.number, uriAt(second, listedSeller.number));
  await cutCall.customer.hangUp();
  assert.deepEqual(await figures(first), { calls: 4, recordings: 4, sessions: 4, lost: 0, refused: 0 });
  wire.mend();
  await eventually(
    async () => (await gauge(second, 'signalling', 'sidestream_nats_up')) === 1,
    'NATS is back',
    patienceMs,
  );

  const killedAt = Date.now();
  for (const service of second.services.values()) service.kill('SIGKILL');
  await Promise.all([...second.services.values()].map(({ exited }) => exited));
  await stage.talk(one.call, 200);
  const afterKill = lossesOf(ours, { from: killedAt, until: Date.now() - underWayMs });
  t.diagnostic(`while the other cell was dead: ${JSON.stringify(afterKill)}`);
  assert.deepEqual([afterKill.atParties, afterKill.atRecorder], [0, 0]);
  assert.deepEqual(await figures(first), { calls: 4, recordings: 4, sessions: 4, lost: 0, refused: 0 });
  const late = await stage.inbound();
  await late.customer.hangUp();
  await Promise.all(ours.map(({ call }) => call.customer.hangUp()));
  await eventually(async () => (await figures(first)).sessions === 0, 'the calls of the living cell end', patienceMs);
});
