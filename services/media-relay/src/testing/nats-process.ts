// The real nats-server with JetStream, for tests: spawned on a given port, ended by its pid.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { inCi } from './config.js';

/** Why tests that need nats-server are skipped; false = they are not. In CI they fail instead. */
export function withoutNats(): string | false {
  const found = spawnSync('nats-server', ['--version']).error === undefined;
  return found || inCi ? false : 'nats-server is not installed';
}

export class NatsProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    process.once('exit', () => child.kill('SIGKILL'));
  }

  static async start(port: number, directory: string): Promise<NatsProcess> {
    const options = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory];
    const child = spawn('nats-server', options, { stdio: 'ignore' });
    await once(child, 'spawn');
    return new NatsProcess(child);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

export async function freeTcpPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
