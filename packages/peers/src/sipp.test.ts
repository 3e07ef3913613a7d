import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from './eventually.js';
import { freeTcpPort } from './ports.js';
import { runSipp, sippMissing } from './sipp.js';

const skip = sippMissing();

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('a scenario that waits for calls is ended by the signal', { skip }, async () => {
  const port = await freeTcpPort();
  const over = new AbortController();
  const run = runSipp(['-sn', 'uas', '-t', 't1', '-i', '127.0.0.1', '-p', String(port)], over.signal);
  await eventually(() => listens(port), 'sipp listens');
  over.abort();
  assert.equal((await run).code, null);
  assert.equal(await listens(port), false);
});

test('flags that sipp refuses end it at once, with its own words', { skip }, async () => {
  const { code, output } = await runSipp(['-no_such_flag'], AbortSignal.timeout(5_000));
  assert.ok(code);
  assert.match(output, /no_such_flag/);
});
