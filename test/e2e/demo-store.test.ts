// What deploy/compose.yaml gives NATS is enough for all that the laboratory of its demo has JetStream reserve.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { parse } from 'yaml';
import { z } from 'zod';
import { ownNats } from './nats-stage.js';
import { Stage } from './stage.js';

const compose = z.object({ services: z.object({ nats: z.object({ tmpfs: z.tuple([z.string()]) }) }) });

/** JetStream takes three quarters of what is free where its store is. */
function storeBytes(): number {
  const file = new URL('../../../deploy/compose.yaml', import.meta.url);
  const [tmpfs] = compose.parse(parse(readFileSync(file, 'utf8'), { merge: true })).services.nats.tmpfs;
  return (Number(/size=(\d+)g/.exec(tmpfs)?.[1]) * 1024 ** 3 * 3) / 4;
}

test('policies, events, state and call records of the demo fit into the store of its compose file', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-store-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'server.conf'), `jetstream { max_file_store: ${storeBytes()} }`);
  const peer = await ownNats(t, { args: ['-c', join(directory, 'server.conf')] });
  if (!peer) return;
  const stage = await Stage.start(t, {
    nats: false,
    provider: {},
    configure: (config) => {
      config.nats.servers = [peer.url];
    },
  });
  if (!stage) return;
  const call = await stage.inbound();
  await call.customer.hangUp();
  await eventually(
    async () => (await stage.laboratory.metric('signalling', 'sidestream_call_records_published_total')) === 1,
    'the record is published',
    20_000,
  );
  assert.equal(await stage.laboratory.metric('signalling', 'sidestream_call_records_waiting'), 0);
});
