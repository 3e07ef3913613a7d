// An instance of signalling as the gateway finds it: a real lease, a real gRPC server.
import type { TestContext } from 'node:test';
import { type Call, CallsServiceService, type ListCallsRequest } from '@sidestream/proto/calls/v1';
import { type Bus, createLogger, GrpcServer, LeaseKeeper, UnaryHandlers } from '@sidestream/service';
import { Registry } from 'prom-client';

const log = createLogger({ name: 'signalling', instance: 's1', level: 'silent' });

/** `s1`, which lists these calls whoever asks, and whose process began a minute ago. */
export async function signallingOf(t: TestContext, bus: Bus, calls: () => readonly Call[]): Promise<void> {
  const metrics = new Registry();
  const server = new GrpcServer(undefined, { service: 'signalling', log, metrics });
  const handlers = new UnaryHandlers(log, metrics);
  server.add(CallsServiceService, {
    listCalls: handlers.handle<ListCallsRequest, object>('ListCalls', async () => {
      return { instance: 's1', draining: false, calls: calls(), live: calls().length };
    }),
  });
  const address = `127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
  const lease = { address, since: new Date(Date.now() - 60_000).toISOString() };
  const keeper = new LeaseKeeper(bus, { key: 'signalling.s1', value: () => lease, log });
  keeper.start();
  t.after(async () => {
    await keeper.stop();
    await server.close(0);
  });
}
