// For tests: a TCP address that swallows SYNs, as a dead front end or a firewall does. No packet leaves the machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

// A listener that never accepts: its backlog is filled, then the kernel drops every further SYN.
const listener = `
  const server = require('node:net').createServer().listen({ host: process.argv[1], port: 0, backlog: 1 }, () => {
    process.stdout.write(String(server.address().port), () =>
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000));
  });`;
const backlog = 2;

export interface BlackHole {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens one on a loopback address. */
export async function openBlackHole(host: string): Promise<BlackHole> {
  const child = spawn(process.execPath, ['-e', listener, host], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [bytes] = await once(child.stdout, 'data');
  const port = Number(bytes);
  const fillers = Array.from({ length: backlog }, () => connect(port, host).on('error', () => undefined));
  await Promise.all(fillers.map((socket) => once(socket, 'connect')));
  return {
    port,
    async close() {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      await exited;
    },
  };
}
