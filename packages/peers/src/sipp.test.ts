import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeTcpPort, freeUdpPort } from './ports.js';
import { runSipp, sippListens, sippMissing } from './sipp.js';

const skip = sippMissing();

for (const protocol of ['udp', 'tcp'] as const) {
  test(`a scenario that waits for calls over ${protocol} is ended by the signal`, { skip }, async () => {
    const port = await (protocol === 'udp' ? freeUdpPort() : freeTcpPort());
    const over = new AbortController();
    const mode = protocol === 'udp' ? 'u1' : 't1';
    const run = runSipp(['-sn', 'uas', '-t', mode, '-i', '127.0.0.1', '-p', String(port)], over.signal);
    await sippListens(protocol, port);
    over.abort();
    assert.equal((await run).code, null);
    await assert.rejects(sippListens(protocol, port, 100), /sipp listens/);
  });
}

test('flags that sipp refuses end it at once, with its own words', { skip }, async () => {
  const { code, output } = await runSipp(['-no_such_flag'], AbortSignal.timeout(5_000));
  assert.ok(code);
  assert.match(output, /no_such_flag/);
});
