// Objects of the object store, read from a real nats-server.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readObject, SidestreamError } from '@sidestream/service';
import { nats, openBus, ownNats } from './nats-stage.js';

const store = 'policy-snapshots';
const object = (bytes: number) => Uint8Array.from({ length: bytes }, (_, index) => index % 251);

describe('readObject on a real nats-server', () => {
  test('an object of many chunks comes as it was put, an empty one as nothing, an absent one is said to be', async (t) => {
    const peer = await nats(t);
    if (!peer) return;
    const session = await openBus(t, [peer.url]).whenConnected(AbortSignal.timeout(10_000));
    const objects = await session.objectStore(store);
    const read = async (name: string) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readObject(session, store, name, AbortSignal.timeout(20_000))) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const large = object(5_000_000);
    await objects.putBlob({ name: 'contoso' }, object(1_000));
    await objects.putBlob({ name: 'contoso' }, large);
    await objects.putBlob({ name: 'empty' }, new Uint8Array());
    await objects.putBlob({ name: 'deleted' }, object(1_000));
    await objects.delete('deleted');
    assert.ok((await read('contoso')).equals(large));
    assert.equal((await read('empty')).length, 0);
    for (const name of ['deleted', 'absent']) {
      await assert.rejects(read(name), (error) => error instanceof SidestreamError && error.code === 'not-found', name);
    }
    const manager = await session.jetstream.jetstreamManager();
    assert.equal((await manager.streams.info(`OBJ_${store}`)).state.consumer_count, 0);
  });

  test('a server that hangs in the middle is an error after some seconds; the signal ends the reading at once', async (t) => {
    const peer = await ownNats(t);
    if (!peer) return;
    const session = await openBus(t, [peer.url]).whenConnected(AbortSignal.timeout(10_000));
    await (await session.objectStore(store)).putBlob({ name: 'contoso' }, object(5_000_000));
    const cases = [
      [new AbortController(), 'deadline-exceeded'],
      [new AbortController(), 'told to stop'],
    ] as const;
    for (const [ending, expected] of cases) {
      const reading = (async () => {
        let first = true;
        for await (const _ of readObject(session, store, 'contoso', ending.signal)) {
          if (first) await peer.kill('SIGSTOP');
          if (first && expected === 'told to stop') ending.abort(new Error(expected));
          first = false;
        }
      })();
      await assert.rejects(reading, (error) => String((error as SidestreamError).code ?? error).includes(expected));
      await peer.kill('SIGCONT');
    }
  });
});
