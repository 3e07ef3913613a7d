import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidestream/peers';
import fc from 'fast-check';
import { stage } from './dialer-stage.js';
import { type ScriptedConnection, started } from './scripted-gateway.js';

const step = fc.constantFrom('event', 'event', 'repetition', 'garbage', 'close', 'reset', 'connected', 'connected');

test('whatever happens to the connection, each event is raised once and in order', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const { gateway, names, dialer } = await stage(t);
      let sent = 0;
      gateway.onGreeting = (connection, { lastEventId }) => {
        connection.authenticated();
        for (let id = Number(lastEventId ?? 0) + 1; id <= sent; id += 1) connection.send(started(String(id)));
      };
      for (const what of steps) {
        const connection = gateway.connections.at(-1);
        switch (what) {
          case 'event':
            sent += 1;
            // Before its first frame a client is sent nothing.
            if (isConnected(connection)) connection?.send(started(String(sent)));
            break;
          case 'repetition':
            if (isConnected(connection) && sent > 0) connection?.send(started(String(Math.ceil(sent / 2))));
            break;
          case 'garbage':
            connection?.send('no frame');
            break;
          case 'close':
            connection?.close(1001);
            break;
          case 'reset':
            connection?.reset();
            break;
          case 'connected':
            await eventually(() => isConnected(gateway.connections.at(-1)), 'it is connected', 30_000);
        }
      }
      const all = Array.from({ length: sent }, (_, index) => `WIDGET_CALL_STARTED call-${index + 1}`);
      await eventually(() => names().length >= sent, 'all are raised', 30_000);
      assert.deepEqual(names(), all);
      dialer.stop();
    }),
    { numRuns: 40 },
  );
});

function isConnected(connection: ScriptedConnection | undefined): boolean {
  return connection !== undefined && connection.frames.length > 0 && connection.closeCode === undefined;
}
