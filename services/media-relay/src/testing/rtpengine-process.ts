// The real rtpengine, for tests: spawned on a free port, ended by its pid.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { NgClient } from '../adapters/ng-client.js';
import { Rtpengine } from '../adapters/rtpengine.js';
import { inCi } from './config.js';
import { soon, until } from './until.js';

/** Why tests that need rtpengine are skipped; false = they are not. In CI they fail instead. */
export function withoutRtpengine(): string | false {
  const found = spawnSync('rtpengine', ['--version']).error === undefined;
  return found || inCi ? false : 'rtpengine is not installed';
}

export class RtpengineProcess {
  readonly port: number;
  readonly log: string[] = [];
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
    // A test that fails badly leaves no engine behind.
    process.once('exit', () => child.kill('SIGKILL'));
    child.stderr?.on('data', (chunk: Buffer) => this.log.push(chunk.toString()));
  }

  /** @param port where a former one listened; a free one unless told. */
  static async start(port?: number): Promise<RtpengineProcess> {
    const ng = port ?? (await freeUdpPort());
    // Test files run side by side, each in its own process: each gets its own media ports, below the ephemeral ones.
    const portMin = 20_000 + (process.pid % 60) * 200;
    const child = spawn(
      'rtpengine',
      [
        // Level 3: from 4 on it logs every command that it refuses, keys and all.
        ...[
          '--config-file=none',
          '--table=-1',
          '--foreground',
          '--log-stderr',
          '--log-level=3',
          '--interface=127.0.0.1',
        ],
        ...[`--listen-ng=127.0.0.1:${ng}`, `--port-min=${portMin}`, `--port-max=${portMin + 199}`, '--num-threads=1'],
        '--delete-delay=0',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    await once(child, 'spawn');
    const engine = new RtpengineProcess(ng, child);
    const client = engine.client();
    const probe = new Rtpengine(client, 'probe');
    await until('rtpengine answers', async () => (await probe.state(soon(300))) === 'alive');
    await client.close();
    return engine;
  }

  client(): NgClient {
    return new NgClient({ address: { host: '127.0.0.1', port: this.port } });
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
