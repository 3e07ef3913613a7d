// Server-sent events to one client (HTML standard §9.2), bounded: who does not read is cut off.
import type { ServerResponse } from 'node:http';

const keepAliveMs = 15_000;

export interface ServerSentEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: object;
}

export class EventStream {
  readonly #response: ServerResponse;
  readonly #behindBytes: number;
  readonly #keepAlive: NodeJS.Timeout;

  constructor(response: ServerResponse, behindBytes: number, headers: Readonly<Record<string, string>> = {}) {
    this.#response = response;
    this.#behindBytes = behindBytes;
    response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(':\n\n');
    this.#keepAlive = setInterval(() => this.#write(':\n\n'), keepAliveMs);
    response.once('close', () => clearInterval(this.#keepAlive));
  }

  /** From where the client resumes that has been sent nothing yet. */
  begin(id: string): void {
    this.#write(`id: ${id}\n\n`);
  }

  send({ id, event, data }: ServerSentEvent): void {
    this.#write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    clearInterval(this.#keepAlive);
    this.#response.end();
  }

  #write(text: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    this.#response.write(text);
    if (this.#response.writableLength > this.#behindBytes) this.#response.destroy();
  }
}
