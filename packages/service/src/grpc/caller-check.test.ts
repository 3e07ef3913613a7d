// Over real TLS connections: a server that lets in signalling alone, and callers with certificates of its authority.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { MediaRelayServiceClient, MediaRelayServiceService } from '@sidestream/proto/media/v1';
import { Registry } from 'prom-client';
import type { GrpcTls } from '../config/schema.js';
import { createLogger } from '../log.js';
import { callUnary } from './call-unary.js';
import type { CalledService } from './callers.js';
import { channelCredentials } from './credentials.js';
import { GrpcServer } from './server.js';
import { watchHandler } from './watch-handler.js';

const serverName = 'sidestream.internal';
const deadlineMs = 5_000;

/** A relay, and how one calls it; `checkNames` of the server, of the callers what they say. */
async function stage(t: TestContext, checkNames: boolean) {
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const authority = await createAuthority('Links');
  let count = 0;
  const identity = async (...dnsNames: string[]): Promise<GrpcTls> => {
    count += 1;
    // The subject's name is nobody's.
    const issued = await authority.issue({ commonName: `signalling.${serverName}`, dnsNames });
    const { certFile, keyFile, trustFile } = await folder.write(issued, String(count));
    return { certFile, keyFile, caFile: trustFile, serverName };
  };
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ name: 'test', instance: 'test', level: 'info', destination });
  const metrics = new Registry();
  const tls = { ...(await identity(serverName, `media-relay.${serverName}`)), checkNames };
  const server = new GrpcServer(tls, { service: 'media-relay', log, metrics });
  const heard = { unary: 0, watches: 0 };
  const ended = new AbortController();
  server.add(MediaRelayServiceService, {
    listSessions: (_call: unknown, done: (error: null, answer: object) => void) => {
      heard.unary += 1;
      done(null, { sessions: [] });
    },
    watch: watchHandler({
      ...{ maxWatchers: 5, maxBehind: 5, shutdown: ended.signal },
      subscribe: () => {
        heard.watches += 1;
        return () => undefined;
      },
    }),
  });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    ended.abort();
    await server.close(1_000);
  });
  const client = (own: GrpcTls, called: CalledService = 'media-relay') => {
    const opened = new MediaRelayServiceClient(`127.0.0.1:${port}`, channelCredentials(called, own));
    t.after(() => opened.close());
    return opened;
  };
  const list = (by: MediaRelayServiceClient) => callUnary(by.listSessions.bind(by), {}, { deadlineMs });
  /** The status with which the watch ended, or OK once it has begun. */
  const watch = async (by: MediaRelayServiceClient): Promise<status> => {
    const stream = by.watch({}, new Metadata(), { deadline: Date.now() + deadlineMs });
    const failed = new Promise<status>((resolve) => {
      stream.on('error', ({ code }: Error & { code: status }) => resolve(code));
    });
    const code = await Promise.race([failed, once(stream, 'metadata').then(() => status.OK)]);
    stream.cancel();
    return code;
  };
  const refused = async () => (await metrics.getSingleMetric('sidestream_grpc_refused_total')?.get())?.values;
  return { identity, client, list, watch, heard, lines, refused };
}

test('who may call is answered and may watch, by any of the names in the certificate', async (t) => {
  const { identity, client, list, watch, heard, lines, refused } = await stage(t, true);
  const signalling = client(await identity(serverName, `signalling.${serverName}`));
  await list(signalling);
  assert.equal(await watch(signalling), status.OK);
  assert.deepEqual(heard, { unary: 1, watches: 1 });
  assert.deepEqual([lines, await refused()], [[], [{ value: 0, labels: {} }]]);
});

for (const [whose, names] of [
  ['that of the web face', [serverName, `gateway.${serverName}`]],
  ['one of before names were checked', [serverName]],
  ['one for every name', [serverName, `*.${serverName}`]],
  ['one whose name goes on', [`signalling.${serverName}.example`]],
  ['one without names', []],
] as const)
  test(`a certificate of the authority is refused: ${whose}`, async (t) => {
    const { identity, client, list, watch, heard, lines, refused } = await stage(t, true);
    const other = client(await identity(...names));
    await assert.rejects(list(other), {
      code: 'not-admitted',
      message: /must have the name signalling\.sidestream\.internal; its names: /,
    });
    await assert.rejects(list(other), { code: 'not-admitted' });
    assert.equal(await watch(other), status.PERMISSION_DENIED);
    assert.deepEqual(heard, { unary: 0, watches: 0 });
    assert.deepEqual(await refused(), [{ value: 3, labels: {} }]);
    assert.equal(lines.length, 1, 'it is logged once for a while');
    assert.match(
      lines[0] ?? '',
      /"path":"\/sidestream\.media\.v1\.MediaRelayService\/ListSessions","peer":"127\.0\.0\.1:/,
    );
    assert.match(lines[0] ?? '', new RegExp(`its names: ${names.length === 0 ? 'none' : `DNS:${names[0]}`}`));
  });

test('while names are not checked, certificates of before have the say that they had', async (t) => {
  const { identity, client, list, watch, heard, refused } = await stage(t, false);
  const before = client(await identity(serverName));
  await list(before);
  assert.equal(await watch(before), status.OK);
  await list(client({ ...(await identity(serverName)), checkNames: true }));
  assert.deepEqual(heard, { unary: 2, watches: 1 });
  assert.deepEqual(await refused(), [{ value: 0, labels: {} }]);
});

test('who checks names talks to the service that was meant, and to no other of the authority', async (t) => {
  const { identity, client, list, heard } = await stage(t, true);
  const own = { ...(await identity(`signalling.${serverName}`, `cli.${serverName}`)), checkNames: true };
  await list(client(own));
  const mistaken = list(client(own, 'policy-sync'));
  await assert.rejects(mistaken, { code: 'relay-unavailable', message: /policy-sync\.sidestream\.internal/ });
  assert.deepEqual(heard, { unary: 1, watches: 0 });
});
