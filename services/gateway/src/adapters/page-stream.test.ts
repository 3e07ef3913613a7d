import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { ClientAddress } from './client-address.js';
import { Connections } from './connections.js';
import { LiveEvents } from './live-events.js';
import { streamPageEvents } from './page-stream.js';
import { problemOf } from './problem.js';

test('one operator has as many pages as the limits say, whatever dialers they have; one that goes makes room', async (t) => {
  const limits = { connections: 10, connectionsPerUser: 2, connectionsPerSecond: 100 };
  const connections = new Connections(limits, new ClientAddress([]));
  const operator = async () => ({
    tenant: 'contoso',
    seller: 'olga',
    operator: true,
    expiresAtMs: Date.now() + 600_000,
  });
  const options = { gate: { operator }, connections, live: new LiveEvents(), behindBytes: 65_536 };
  const server = createServer((request, response) => {
    streamPageEvents(request, response, options, {}).catch((error: unknown) =>
      response.writeHead(problemOf(error).status).end(),
    );
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const open = async () => {
    const leave = new AbortController();
    return { leave, status: (await fetch(url, { signal: leave.signal })).status };
  };
  const pages = [await open(), await open(), await open()];
  assert.deepEqual(
    pages.map(({ status }) => status),
    [200, 200, 429],
  );
  assert.ok(connections.enter('contoso/olga'), 'a dialer of hers has a place');
  await eventually(() => connections.open === 2, 'who was refused takes no place');
  pages[0]?.leave.abort();
  await eventually(() => connections.open === 1, 'it has gone');
  assert.equal((await open()).status, 200);
});
