import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RecorderProof } from './recorder-proof.js';

test('a recorder that takes the question and never answers is told as one, whatever is collected meanwhile', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const server = createServer(() => collect()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stopping = new AbortController();
  const asked = new RecorderProof(origin, 200).begin(stopping.signal);
  const tooLate = setTimeout(() => stopping.abort(new Error('it waits for ever')), 10_000);
  await assert.rejects(asked, {
    code: 'not-ready',
    message: `${origin}/sessions: no answer within 200 ms: is it the --status of a recorder simulator?`,
  });
  clearTimeout(tooLate);
});
