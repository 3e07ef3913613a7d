import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import { clouds } from './cloud-metadata.js';
import { type AddressServers, type AddressSources, reachableAddress } from './reachable-address.js';

const directory = mkdtempSync(join(tmpdir(), 'sidestream-address-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const table = join(directory, 'nodes.yaml');
writeFileSync(table, 'node-1: 203.0.113.1\nnode-2: "2001:db8::2"\n');

const usual = { bind: '10.0.0.7', node: 'node-1' };

async function addressOf(sources: AddressSources, servers?: AddressServers): Promise<string> {
  return (await reachableAddress({ ...usual, ...sources }, servers)).address;
}

function refused(says: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SidestreamError);
    assert.equal(error.code, 'not-ready');
    assert.match(error.message, /^there is no address that peers could be told: /);
    assert.match(error.message, says);
    return true;
  };
}

/** A DNS server that knows addresses of names, and no others. @returns its `host:port` */
async function dnsServer(t: TestContext, known: Record<string, readonly string[]>): Promise<string> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.on('message', (query, { address, port }) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('ascii', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const end = at + 5;
    const isIPv6 = query.readUInt16BE(at + 1) === 28;
    const found = known[labels.join('.')]?.filter((one) => one.includes(':') === isIPv6);
    const answers = (found ?? []).map((one) => {
      const bytes = isIPv6
        ? Buffer.from('20010db8000000000000000000000002', 'hex')
        : Buffer.from(one.split('.').map(Number));
      // The question's name, type, class IN, 60 s.
      return Buffer.concat([Buffer.from([0xc0, 12, 0, isIPv6 ? 28 : 1, 0, 1, 0, 0, 0, 60, 0, bytes.length]), bytes]);
    });
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(found === undefined ? 0x8583 : 0x8580, 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([head, query.subarray(12, end), ...answers]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return `127.0.0.1:${socket.address().port}`;
}

type Answers = (asked: string, headers: IncomingMessage['headers']) => string | number;

/** A metadata service. @param answers by `METHOD path`: what is there, or a status */
async function metadataServer(t: TestContext, answers: Answers): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answers(`${request.method} ${request.url}`, request.headers);
    response.statusCode = typeof answer === 'number' ? answer : 200;
    response.end(typeof answer === 'number' ? '<html>no</html>' : answer);
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

test('sources count in the stated order, and the first that is given decides', async (t) => {
  const servers = {
    dns: [await dnsServer(t, { 'node-1.example.com': ['203.0.113.3'] })],
    metadata: await metadataServer(t, (asked) => (asked.startsWith('PUT') ? 'token' : '203.0.113.4')),
  };
  const sources: [AddressSources, string][] = [
    [{ addresses: ['203.0.113.9'], instance: 'sip-0' }, '203.0.113.9'],
    [{ nodeAddresses: table }, '203.0.113.1'],
    [{ advertiseDns: '{node}.example.com' }, '203.0.113.3'],
    [{ advertiseMetadata: 'aws' }, '203.0.113.4'],
    [{ advertise: 'sip.example.com' }, 'sip.example.com'],
    [{}, '10.0.0.7'],
  ];
  for (const [index, [, expected]] of sources.entries()) {
    const later = Object.assign({}, ...sources.slice(index).map(([one]) => one));
    assert.equal(await addressOf(later, servers), expected);
  }
});

test('of a table, each node has its own address, of the family that is bound', async () => {
  assert.equal(await addressOf({ nodeAddresses: table, node: 'node-2', bind: 'fd00::7' }), '2001:db8::2');
  const of = (node: string) => addressOf({ nodeAddresses: table, advertise: '192.0.2.1', node });
  await assert.rejects(of('node-3'), refused(/node node-3 of .*nodes\.yaml has none$/));
  await assert.rejects(of('node-2'), refused(/has '2001:db8::2': no address of IPv4$/));
  await assert.rejects(addressOf({ nodeAddresses: join(directory, 'absent') }), refused(/ENOENT/));
  await assert.rejects(of(''), /--node-addresses needs --node/);
});

test('DNS must have one address of the family that is bound', async (t) => {
  const known = {
    'node-1.example.com': ['203.0.113.3', '2001:db8::2'],
    'two.example.com': ['203.0.113.3', '203.0.113.4'],
    'empty.example.com': [],
  };
  const dns = [await dnsServer(t, known)];
  const of = (advertiseDns: string, bind = '10.0.0.7') =>
    addressOf({ advertiseDns, advertise: '192.0.2.1', bind }, { dns });
  assert.equal(await of('{node}.example.com'), '203.0.113.3');
  assert.equal(await of('{node}.example.com', 'fd00::7'), '2001:db8::2');
  await assert.rejects(of('absent.example.com'), refused(/DNS name absent\.example\.com: .*ENOTFOUND/));
  await assert.rejects(of('empty.example.com'), refused(/DNS name empty\.example\.com: .*ENODATA/));
  await assert.rejects(of('two.example.com'), refused(/has several: 203\.0\.113\.3, 203\.0\.113\.4/));
});

test('AWS is asked with a token, by IMDSv2', async (t) => {
  let address: string | number = '203.0.113.4';
  const metadata = await metadataServer(t, (asked, headers) => {
    if (asked === 'PUT /latest/api/token')
      return Number(headers['x-aws-ec2-metadata-token-ttl-seconds']) > 0 && headers['content-length'] === '0'
        ? 'abc'
        : 400;
    if (headers['x-aws-ec2-metadata-token'] !== 'abc') return 401;
    return asked === 'GET /latest/meta-data/public-ipv4' ? address : 404;
  });
  const of = () => addressOf({ advertiseMetadata: 'aws', advertise: '192.0.2.1' }, { metadata });
  assert.equal(await of(), '203.0.113.4');
  address = 404;
  await assert.rejects(of(), refused(/metadata of aws has none$/));
  address = 500;
  await assert.rejects(of(), refused(/metadata of aws: GET .*public-ipv4 is answered 500/));
});

test('GCP is asked with Metadata-Flavor', async (t) => {
  const path = '/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip';
  let address: string | number = '203.0.113.5';
  const metadata = await metadataServer(t, (asked, headers) => {
    if (headers['metadata-flavor'] !== 'Google') return 403;
    return asked === `GET ${path}` ? address : 404;
  });
  const of = () => addressOf({ advertiseMetadata: 'gcp' }, { metadata });
  assert.equal(await of(), '203.0.113.5');
  for (const none of ['', 404]) {
    address = none;
    await assert.rejects(of(), refused(/metadata of gcp has none$/));
  }
});

test('Azure is asked with Metadata, of a machine behind a balancer too', async (t) => {
  let own = '203.0.113.6';
  let balanced: object | undefined;
  const metadata = await metadataServer(t, (asked, headers) => {
    if (headers['metadata'] !== 'true' || !/[?&]api-version=\d{4}-\d\d-\d\d(&|$)/.test(asked)) return 400;
    const [, path] = /^GET ([^?]+)/.exec(asked) ?? [];
    if (path === '/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress' && /format=text/.test(asked))
      return own;
    if (path === '/metadata/loadbalancer' && balanced) return JSON.stringify({ loadbalancer: balanced });
    return 404;
  });
  const of = () => addressOf({ advertiseMetadata: 'azure' }, { metadata });
  assert.equal(await of(), '203.0.113.6');
  own = '';
  await assert.rejects(of(), refused(/metadata of azure has none$/));
  const others = [{ frontendIpAddress: '203.0.113.7', privateIpAddress: '10.0.0.8' }];
  balanced = { publicIpAddresses: others, inboundRules: [], outboundRules: [] };
  await assert.rejects(of(), refused(/metadata of azure has none$/));
  balanced = { publicIpAddresses: [...others, { frontendIpAddress: '203.0.113.8', privateIpAddress: '10.0.0.7' }] };
  assert.equal(await of(), '203.0.113.8');
});

test('who is asked and does not answer is waited for within a bound, and named', async (t) => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const at = server.address();
  assert.ok(at !== null && typeof at === 'object');
  const servers = {
    dns: [`127.0.0.1:${silent.address().port}`],
    metadata: `http://127.0.0.1:${at.port}`,
    deadlineMs: 100,
  };
  await assert.rejects(
    addressOf({ advertiseDns: 'a.example.com' }, servers),
    refused(/a\.example\.com: no answer within/),
  );
  for (const advertiseMetadata of clouds)
    await assert.rejects(
      addressOf({ advertiseMetadata }, servers),
      refused(new RegExp(`metadata of ${advertiseMetadata}: no answer within 100 ms`)),
    );
});
