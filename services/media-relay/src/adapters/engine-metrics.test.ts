import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { freeTcpPort, reasonToSkip, requirePeer, startRtpengine } from '@sidestream/peers';
import { parseHostPort } from '@sidestream/service';
import { engineMetricsPage } from './engine-metrics.js';

async function misbehaving(t: TestContext, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return engineMetricsPage({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
}

const skip = await reasonToSkip([startRtpengine]);

test('what rtpengine tells is passed on as it is', { skip: skip ?? false }, async (t) => {
  const engine = requirePeer(await startRtpengine());
  t.after(() => engine.stop());
  if (engine.http === undefined) return t.skip('the engine of the environment tells no HTTP address');
  const page = engineMetricsPage(parseHostPort(engine.http));
  const text = await page.read();
  assert.match(text, /^rtpengine_ports_used\{name="default",address="127\.0\.0\.1"\} 0$/m);
  assert.match(text, /^rtpengine_sessions\{type="own"\} 0$/m);
  assert.match(page.type, /^text\/plain; version=0\.0\.4/);
});

test('nobody there, another status, a redirection, too much: an error that names the key and the address', async (t) => {
  const nobody = engineMetricsPage({ host: '127.0.0.1', port: await freeTcpPort() });
  await assert.rejects(
    nobody.read(),
    /mediaRelay\.rtpengine\.http: http:\/\/127\.0\.0\.1:\d+\/metrics: .*ECONNREFUSED/,
  );
  const refusing = await misbehaving(t, (_, response) => response.writeHead(500).end());
  await assert.rejects(refusing.read(), /metrics: status 500$/);
  const paths: (string | undefined)[] = [];
  const leading = await misbehaving(t, ({ url }, response) => {
    paths.push(url);
    response.writeHead(302, { location: '/cli/terminate%20all' }).end();
  });
  await assert.rejects(leading.read(), /metrics: .*redirect/);
  assert.deepEqual(paths, ['/metrics']);
  const endless = await misbehaving(t, (_, response) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const more = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  await assert.rejects(endless.read(), /metrics: more than 1048576 bytes$/);
});
