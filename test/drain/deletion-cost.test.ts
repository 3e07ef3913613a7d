// Processes of pods that may tell it tell Kubernetes what their end costs, from their start on.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { ServiceProcess } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { createAuthority } from '@sidestream/pki';

test('signalling and media-relay without a call cost nothing, and say so', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sidestream-cost-'));
  const authority = await createAuthority('Cluster');
  const { certificate: cert, key } = await authority.issue({ commonName: 'api', ipAddresses: ['127.0.0.1'] });
  const costs: string[] = [];
  // Stands for kube-apiserver.
  const server = createServer({ cert, key }, async (request, response) => {
    costs.push(`${request.headers.authorization} ${request.url} ${await text(request)}`);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const services: ServiceProcess[] = [];
  t.after(async () => {
    await Promise.all(services.map((service) => service.stop(20_000)));
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });
  const put = (name: string, content: string) => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  put('token', 'a-token');
  put('ca.crt', authority.certificate);
  // Neither NATS nor an edge nor rtpengine is there.
  const config = {
    nats: { servers: ['nats://127.0.0.1:1'] },
    ...{ regions: {}, tenants: {}, trunks: {} },
    signalling: { edge: 'tcp://127.0.0.1:1', drainSeconds: 0 },
    mediaRelay: { rtpengine: { ng: '127.0.0.1:1' } },
  };
  const environment = {
    SIDESTREAM_CONFIG: put('sidestream.yaml', JSON.stringify(config)),
    SIDESTREAM_EDGE_SECRET_FILE: put('edge-secret', 'a-secret'),
    SIDESTREAM_POD_CREDENTIALS: directory,
  };
  const { port } = server.address() as AddressInfo;
  const pods = `https://127.0.0.1:${port}/api/v1/namespaces/voice/pods`;
  for (const name of ['signalling', 'media-relay'])
    services.push(
      new ServiceProcess({
        name,
        environment: { ...environment, SIDESTREAM_INSTANCE: `${name}-0`, SIDESTREAM_POD_URL: `${pods}/${name}-0` },
        onLog: () => undefined,
      }),
    );
  await eventually(() => costs.length === 2, 'both costs', 30_000);
  const body = '{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"0"}}}';
  assert.deepEqual(
    costs.sort(),
    ['media-relay-0', 'signalling-0'].map(
      (pod) => `Bearer a-token /api/v1/namespaces/voice/pods/${pod}/status ${body}`,
    ),
  );
});
