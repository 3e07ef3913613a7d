import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Client, credentials, type Metadata } from '@grpc/grpc-js';
import { SidestreamError } from '../errors.js';
import { callUnary, grpcClientSeconds } from './call-unary.js';

type Bound = Parameters<typeof callUnary<Buffer, Buffer>>[0];

/** Calls a server that does with the stream as it likes. */
async function against(answer: (stream: ServerHttp2Stream) => void, use: (method: Bound) => Promise<void>) {
  const server = createServer().on('stream', answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Client(`127.0.0.1:${(server.address() as AddressInfo).port}`, credentials.createInsecure());
  const same = (message: Buffer) => message;
  try {
    await use((request, metadata: Metadata, options, callback) =>
      client.makeUnaryRequest('/test.Test/Test', same, same, request, metadata, options, (error, response) =>
        callback(error, response ?? Buffer.alloc(0)),
      ),
    );
  } finally {
    client.close();
    server.close();
  }
}

const headers = { ':status': 200, 'content-type': 'application/grpc' };
const bounds = { deadlineMs: 20_000 };

test('the message is the outcome: a status that comes later is not waited for', async () => {
  let stream: ServerHttp2Stream | undefined;
  const sayMessage = (opened: ServerHttp2Stream) => {
    stream = opened;
    opened.respond(headers, { waitForTrailers: true });
    opened.on('wantTrailers', () => opened.sendTrailers({ 'grpc-status': '0' }));
    opened.write(Buffer.from([0, 0, 0, 0, 2, 0x6f, 0x6b]));
  };
  await against(sayMessage, async (method) => {
    assert.equal(String(await callUnary(method, Buffer.alloc(0), bounds)), 'ok');
    stream?.end();
  });
  const counts = (await grpcClientSeconds.get()).values.filter(({ metricName = '' }) => metricName.endsWith('_count'));
  assert.deepEqual(
    counts.map(({ value, labels }) => [value, labels]),
    [[1, { method: 'Test', code: 'ok' }]],
    'a status that comes behind the message counts nothing more',
  );
});

test('a status without a message is an error with its code', async () => {
  const saySorry = (opened: ServerHttp2Stream) =>
    opened.respond({ ...headers, 'grpc-status': '5', 'grpc-message': 'none' }, { endStream: true });
  await against(saySorry, async (method) => {
    const isNotFound = (error: unknown) => error instanceof SidestreamError && error.code === 'not-found';
    await assert.rejects(callUnary(method, Buffer.alloc(0), bounds), isNotFound);
  });
});
