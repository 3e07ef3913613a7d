import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { eventually } from '@sidestream/peers';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { WebServer } from './web-server.js';

/** Serial number of the certificate that a new connection is shown. */
async function shown(t: TestContext, url: string, ca: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), servername: 'localhost', ca });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test('a renewed certificate is shown to new connections, a key that is not its own is not taken', async (t) => {
  const authority = await createAuthority('Web');
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const renew = async () =>
    folder.write(await authority.issue({ commonName: 'gateway', dnsNames: ['localhost'] }), 'gateway');
  const files = await renew();
  const upgrade = () => assert.fail('nobody upgrades');
  const server = new WebServer({ tls: files, lookEveryMs: 10, fetch: () => new Response('here'), upgrade });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  const first = await shown(t, url, authority.certificate);
  await renew();
  await eventually(async () => (await shown(t, url, authority.certificate)) !== first, 'the new one is shown');
  const second = await shown(t, url, authority.certificate);
  await writeFile(files.keyFile, 'no key');
  for (let n = 0; n < 20; n++) assert.equal(await shown(t, url, authority.certificate), second);
  await renew();
  await eventually(async () => (await shown(t, url, authority.certificate)) !== second, 'the next one is shown');
});

test('closing: what is being answered is answered, also over a kept connection; what takes too long is cut', async () => {
  const asked: (() => void)[] = [];
  const fetched = () => new Promise<Response>((resolve) => asked.push(() => resolve(new Response('done'))));
  const upgrade = () => assert.fail('nobody upgrades');
  const server = new WebServer({ tls: undefined, fetch: fetched, upgrade });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const quick = fetch(url, { method: 'POST', body: '{}' }).then((response) => response.text());
  await eventually(() => asked.length === 1, 'one is being answered');
  const slow = fetch(url, { method: 'POST', body: '{}' }).then(
    () => 'answered',
    () => 'cut',
  );
  await eventually(() => asked.length === 2, 'so is the other one');
  let isClosed = false;
  const closed = server.close(500).then(() => {
    isClosed = true;
  });
  await eventually(
    () =>
      fetch(url).then(
        () => false,
        () => true,
      ),
    'nothing new is taken',
  );
  asked[0]?.();
  assert.equal(await quick, 'done');
  assert.ok(!isClosed);
  await closed;
  assert.equal(await slow, 'cut');
});
