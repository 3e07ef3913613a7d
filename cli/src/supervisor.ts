// Runs services as processes of their own, as a cluster would: start, ready lines, logs, stop. Imports no service.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { supervisedFlag } from '@sidestream/service';
import { z } from 'zod';

const statusLine = z.object({
  ready: z.boolean(),
  addresses: z.record(z.string(), z.string()),
  waitingFor: z.array(z.string()).default([]),
});

/** What a service last said of itself. */
export type ServiceStatus = z.output<typeof statusLine>;

export interface ServiceProcessOptions {
  readonly name: string;
  readonly environment: Record<string, string>;
  /** Where its log lines go. */
  readonly onLog: (line: string) => void;
}

/** However this process ends, its services do not outlive it. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One service process. */
export class ServiceProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<string>;
  readonly #listeners = new Set<() => void>();
  #status: ServiceStatus | undefined;
  #ended = false;

  constructor({ name, environment, onLog }: ServiceProcessOptions) {
    this.name = name;
    const main = fileURLToPath(import.meta.resolve(`@sidestream/${name}/main`));
    this.#child = spawn(process.execPath, ['--enable-source-maps', main, supervisedFlag], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environment,
      // Ctrl-C at a terminal is for us alone: services are stopped one after the other.
      detached: true,
    });
    const { stdout, stderr } = this.#child;
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.#read(line));
    if (stderr) createInterface({ input: stderr }).on('line', onLog);
    running.add(this.#child);
    this.#exited = new Promise((resolve) => {
      const end = (how: string) => {
        this.#ended = true;
        running.delete(this.#child);
        resolve(how);
        this.#changed();
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get status(): ServiceStatus | undefined {
    return this.#status;
  }

  /** Resolves with how the process ended. */
  get exited(): Promise<string> {
    return this.#exited;
  }

  /** Calls back at every change of the status and at the end. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Resolves with the first status line, ready or not; rejects if the process ends or the time passes first. */
  listening(timeoutMs: number): Promise<ServiceStatus> {
    return this.#until((status) => status, timeoutMs, 'said nothing');
  }

  /** Resolves once the service says that it is ready. */
  ready(timeoutMs: number): Promise<ServiceStatus> {
    return this.#until((status) => (status?.ready ? status : undefined), timeoutMs, 'is not ready');
  }

  /** SIGTERM, then SIGKILL after the deadline; resolves with how it ended. */
  async stop(deadlineMs: number): Promise<string> {
    if (this.#ended) return this.#exited;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs);
    const how = await this.#exited;
    clearTimeout(timer);
    return how;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #until<T>(
    pick: (status: ServiceStatus | undefined) => T | undefined,
    timeoutMs: number,
    problem: string,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        finish();
      };
      const look = () => {
        const picked = pick(this.#status);
        if (picked !== undefined) settle(() => resolve(picked));
        else if (this.#ended) {
          void this.#exited.then((how) => settle(() => reject(new Error(`${this.name} ended while starting: ${how}`))));
        }
      };
      const timer = setTimeout(() => {
        const waiting = this.#status?.waitingFor.join('; ');
        settle(() =>
          reject(new Error(`${this.name} ${problem} after ${timeoutMs} ms${waiting ? `: ${waiting}` : ''}`)),
        );
      }, timeoutMs);
      this.#listeners.add(look);
      look();
    });
  }

  #read(line: string): void {
    try {
      this.#status = statusLine.parse(JSON.parse(line));
      this.#changed();
    } catch {
      // A line that is no status is no protocol of ours; the service's logs go to stderr.
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
