// On real sockets: this machine's own address, called from and to loopback, is a peer that is not the machine's to the server.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { Registry } from 'prom-client';
import { Health } from './health.js';
import { ManagementAccess } from './management-access.js';
import { ManagementServer } from './management-server.js';

const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && isIPv4(one.address))?.address;
const skip = outside === undefined && 'this machine has no address but loopback';

/** What `/livez` answers from `from` to `to`: a status, or how the connection ended. */
function asked(to: string, port: number, from?: string): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const options = {
      host: to,
      port,
      path: '/livez',
      agent: false,
      timeout: 5_000,
      ...(from && { localAddress: from }),
    };
    request(options, (response) => resolve(response.resume().statusCode))
      .once('timeout', () => resolve('no answer'))
      .once('error', ({ message }) => resolve(/socket hang up|ECONNRESET/.test(message) ? 'dropped' : message))
      .end();
  });
}

async function listening(listen: string, allow: readonly string[] | undefined) {
  const server = new ManagementServer(new Registry(), new Health(), allow);
  const port = Number((await server.listen(listen)).split(':').at(-1));
  return { port, [Symbol.asyncDispose]: () => server.close() };
}

describe('the management port', () => {
  for (const listen of ['0.0.0.0:0', '[::]:0']) {
    test(`on ${listen} lets in whom it is told, and drops others without an answer`, { skip }, async () => {
      const own = String(outside);
      const [network] = own.split('.');
      for (const [allow, expected] of [
        [undefined, 200],
        [[own], 200],
        [['2001:db8::/32', `${network}.0.0.0/8`], 200],
        [[], 'dropped'],
        [['240.0.0.0/4', '2001:db8::/32'], 'dropped'],
      ] as const) {
        await using server = await listening(listen, allow);
        assert.equal(await asked('127.0.0.1', server.port, own), expected, `${own} of ${allow}`);
      }
    });

    test(`on ${listen} always lets in this machine: by loopback, and as the kubelet by its own address`, {
      skip,
    }, async () => {
      await using server = await listening(listen, []);
      assert.equal(await asked('127.0.0.1', server.port), 200);
      assert.equal(await asked(String(outside), server.port), 200);
    });
  }
});

test('addresses count as what they are: IPv4 on a socket of both families, IPv6 with a zone', () => {
  const access = new ManagementAccess(['10.1.0.0/16', '192.0.2.7', 'fe80::/10', '2001:db8::7']);
  const admits = (remoteAddress: string | undefined) =>
    access.admits({ remoteAddress, localAddress: '::ffff:10.9.0.1' });
  for (const one of [
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '::FFFF:192.0.2.7',
    'fe80::1%eth0',
    '2001:db8::7',
    '::1',
    '::ffff:127.0.0.1',
  ])
    assert.ok(admits(one), one);
  for (const one of ['10.2.0.1', '::ffff:10.2.0.1', '192.0.2.8', '2001:db8::8', 'fd00::1', undefined])
    assert.ok(!admits(one), one);
  assert.ok(admits('::ffff:10.9.0.1'), 'the address that was called');
});
