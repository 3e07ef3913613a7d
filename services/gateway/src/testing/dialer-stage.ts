// Dialers at an endpoint, over real sockets.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createLogger } from '@sidestream/service';
import { WebSocket } from 'ws';
import { ClientAddress } from '../adapters/client-address.js';
import { Connections } from '../adapters/connections.js';
import { DialerEndpoint, dialerPath } from '../adapters/dialer-endpoint.js';
import { DialerLog } from '../domain/dialer-log.js';
import type { User } from '../domain/user.js';

export const ada = { tenant: 'contoso', seller: 'ada', operator: false, expiresAtMs: Date.now() + 600_000 };

interface EndpointOptions {
  readonly connectionsPerSecond?: number;
  readonly framesPerMinute?: number;
  readonly verify?: () => Promise<User>;
  readonly isCurrent?: () => boolean;
  readonly firstFrameMs?: number;
}

/** An endpoint on a real socket, and clients of it who are all Ada; `closings` says how the endpoint has closed some. */
export async function endpointOf(t: TestContext, options: EndpointOptions = {}) {
  const {
    connectionsPerSecond = 100,
    framesPerMinute = 60,
    verify = async () => ada,
    isCurrent = () => true,
  } = options;
  const limits = { connections: 10, connectionsPerUser: 5, connectionsPerSecond };
  const connections = new Connections(limits, new ClientAddress(['127.0.0.1']));
  const closings: { code: number; reason: string }[] = [];
  const write = (line: string) => {
    const { code, reason } = JSON.parse(line);
    if (code !== undefined) closings.push({ code, reason });
  };
  const dialerLog = new DialerLog({ eventsPerSeller: 10, maxSellers: 10 });
  const endpoint = new DialerEndpoint({
    tokens: { verify },
    dialerLog,
    connections,
    framesPerMinute,
    behindBytes: 65_536,
    log: createLogger({ name: 'gateway', instance: 'test', level: 'info', destination: { write } }),
    isAllowed: () => true,
    isReady: () => true,
    isCurrent,
    ...(options.firstFrameMs && { firstFrameMs: options.firstFrameMs }),
  });
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, socket, head) => endpoint.upgrade(request, socket, head));
  t.after(async () => {
    server.close();
    await endpoint.close(0);
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dial = (lastEventId?: string, headers = {}) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${dialerPath}`, { headers });
    const frames: { type: string; id?: string; place?: string }[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    socket.on('open', () => socket.send(JSON.stringify({ type: 'authenticate', token: 't', lastEventId })));
    socket.on('error', () => undefined);
    return { socket, frames };
  };
  const tell = (sequence: number, reason = 'r') => {
    dialerLog.read(sequence);
    const event = 'CALL_NOT_RECORDED' as const;
    const payload = { callId: 'c', reason };
    dialerLog.add({ tenant: 'contoso', seller: 'ada', id: String(sequence), event, payload }, Date.now());
  };
  return { port, endpoint, connections, dialerLog, closings, dial, tell };
}
