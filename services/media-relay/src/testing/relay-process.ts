// The relay as it runs: `node dist/main.js` with a configuration of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '@sidestream/peers';

interface ReadyLine {
  readonly ready: boolean;
  readonly addresses: Readonly<Record<string, string>>;
  readonly waitingFor?: readonly string[];
}

export class RelayProcess {
  readonly lines: ReadyLine[] = [];
  log = '';
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    process.once('exit', () => child.kill('SIGKILL'));
    if (child.stdout) createInterface(child.stdout).on('line', (line) => this.lines.push(JSON.parse(line)));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
    });
  }

  /** @param config sidestream.yaml as JSON, which is YAML; written into the directory. */
  static start(directory: string, instance: string, config: object): RelayProcess {
    const file = join(directory, 'sidestream.yaml');
    writeFileSync(file, JSON.stringify(config));
    const main = fileURLToPath(new URL('../main.js', import.meta.url));
    const child = spawn(process.execPath, [main], {
      env: { SIDESTREAM_CONFIG: file, SIDESTREAM_INSTANCE: instance },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new RelayProcess(child);
  }

  async line(what: string, wanted: (line: ReadyLine) => boolean): Promise<ReadyLine> {
    await eventually(() => this.lines.some(wanted), `${what}\n${this.log}`, 10_000);
    const line = this.lines.find(wanted);
    if (!line) throw new Error(what);
    return line;
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Resolves with the exit code. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended();
  }
}
