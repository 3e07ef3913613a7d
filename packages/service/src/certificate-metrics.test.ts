import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { Registry } from 'prom-client';
import { linkCertificates, measureCertificates } from './certificate-metrics.js';
import { createLogger } from './log.js';

/** A certificate in files that can be renewed, and where its watch logs. */
async function watched(t: TestContext) {
  const authority = await createAuthority('Links');
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const renew = async (days: number) => {
    const notAfter = new Date(Math.trunc(Date.now() / 1_000) * 1_000 + days * 86_400_000);
    const issued = await authority.issue({ commonName: 'relay', dnsNames: ['relay'], notAfter });
    return { files: await folder.write(issued, 'relay'), ends: notAfter.getTime() / 1_000 };
  };
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ name: 'test', instance: 'test', level: 'info', destination });
  return { renew, lines, log };
}

test('a certificate is measured by its file: renewed, broken, told once, and whole again', async (t) => {
  const { renew, lines, log } = await watched(t);
  const { files, ends } = await renew(30);
  const metrics = new Registry();
  measureCertificates({ metrics, log }, [{ use: 'recording', name: 'contoso', ...files }]);
  const read = async (name: string) => (await metrics.getSingleMetric(name)?.get())?.values ?? [];
  const labels = { use: 'recording', name: 'contoso' };

  assert.deepEqual(await read('sidestream_certificate_expiry_seconds'), [{ value: ends, labels }]);
  assert.deepEqual(await read('sidestream_certificate_usable'), [{ value: 1, labels }]);

  const renewed = await renew(60);
  assert.deepEqual(await read('sidestream_certificate_expiry_seconds'), [{ value: renewed.ends, labels }]);

  await writeFile(files.keyFile, 'half a k');
  for (let scrape = 0; scrape < 3; scrape++)
    assert.deepEqual(await read('sidestream_certificate_usable'), [{ value: 0, labels }]);
  assert.equal(lines.length, 1, lines.join(''));
  assert.match(lines[0] ?? '', /"use":"recording","name":"contoso".*can not be used/);
  assert.ok(!lines[0]?.includes('half a k'));

  await writeFile(files.certFile, 'no certificate');
  assert.deepEqual(await read('sidestream_certificate_expiry_seconds'), []);

  await renew(90);
  assert.deepEqual(await read('sidestream_certificate_usable'), [{ value: 1, labels }]);
  assert.match(lines.at(-1) ?? '', /can be used again/);

  lines.length = 0;
  await renew(10);
  for (let scrape = 0; scrape < 3; scrape++) await read('sidestream_certificate_expiry_seconds');
  assert.equal(lines.length, 1, lines.join(''));
  assert.match(lines[0] ?? '', /ends within two weeks/);

  await rm(files.keyFile);
  assert.deepEqual(await read('sidestream_certificate_usable'), [{ value: 0, labels }]);
  assert.match(lines.at(-1) ?? '', /ENOENT/);
});

test('without anybody who reads metrics the log tells what is wrong: soon over, broken, over', async (t) => {
  const { renew, lines, log } = await watched(t);
  const { files } = await renew(30);
  measureCertificates({ metrics: new Registry(), log }, [{ use: 'grpc', ...files }], 10);
  const told = async (level: string, text: string) => {
    const line = new RegExp(`"level":"${level}".*"use":"grpc".*${text}`);
    const deadline = performance.now() + 10_000;
    while (!lines.some((one) => line.test(one)) && performance.now() < deadline) await setTimeout(5);
    assert.match(lines.join(''), line);
  };
  await renew(10);
  await told('warn', 'ends within two weeks');
  await renew(2);
  await told('error', 'ends within three days');
  await renew(-1);
  await told('error', 'has ended');
  await writeFile(files.certFile, 'no certificate');
  await told('error', 'can not be used');
});

test('every service has the certificates of its links, where there are any', () => {
  const tls = { certFile: 'a.crt', keyFile: 'a.key', caFile: 'ca.crt' };
  const nats = { servers: ['nats://127.0.0.1:4222'], replicas: 1 as const };
  assert.deepEqual(linkCertificates(nats, undefined), []);
  assert.deepEqual(
    linkCertificates({ ...nats, tls }, tls).map(({ use }) => use),
    ['grpc', 'nats'],
  );
});
