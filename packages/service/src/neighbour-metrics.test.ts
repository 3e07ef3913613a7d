import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { neighbourMetrics } from './neighbour-metrics.js';

async function neighbour(t: TestContext, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  const end = () => {
    server.close();
    server.closeAllConnections();
  };
  t.after(end);
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { page: neighbourMetrics(`127.0.0.1:${port}`, 'signalling.edgeMetrics'), end };
}

test('what a neighbour tells is passed on as it is', async (t) => {
  const { page } = await neighbour(t, (request, response) => response.end(`drachtio_up 1\n# ${request.url}\n`));
  assert.equal(await page.read(), 'drachtio_up 1\n# /metrics\n');
  assert.match(page.type, /^text\/plain; version=0\.0\.4/);
});

test('nobody there, another status, a redirection, too much: an error that names the key and the address', async (t) => {
  const gone = await neighbour(t, () => undefined);
  gone.end();
  await assert.rejects(
    gone.page.read(),
    /^Error: signalling\.edgeMetrics: http:\/\/127\.0\.0\.1:\d+\/metrics: .*ECONNREFUSED/,
  );
  const refusing = await neighbour(t, (_, response) => response.writeHead(500).end());
  await assert.rejects(refusing.page.read(), /metrics: status 500$/);
  const paths: (string | undefined)[] = [];
  const leading = await neighbour(t, ({ url }, response) => {
    paths.push(url);
    response.writeHead(302, { location: '/cli/terminate%20all' }).end();
  });
  await assert.rejects(leading.page.read(), /metrics: status 302$/);
  assert.deepEqual(paths, ['/metrics']);
  const endless = await neighbour(t, (_, response) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const more = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  await assert.rejects(endless.page.read(), /more than 1048576 bytes$/);
});
