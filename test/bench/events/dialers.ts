// Many dialers in this process, each with a seller of its own: connects them a few at a time, and tells what arrives.
import { once } from 'node:events';
import type { IssuerSimulator } from '@sidestream/simulators';
import { WebSocket } from 'ws';
import { z } from 'zod';

const frameSchema = z.looseObject({
  type: z.string(),
  event: z.string().optional(),
  payload: z.looseObject({ startTime: z.string().optional() }).optional(),
});

/** A frame with the time of its arrival. */
export type Arrival = z.output<typeof frameSchema> & { readonly atMs: number };

const atOnce = 50;
const openDeadlineMs = 15_000;

export class Dialers {
  readonly #url: string;
  readonly #issuer: IssuerSimulator;
  readonly #sockets: WebSocket[] = [];

  constructor(url: string, issuer: IssuerSimulator) {
    this.#url = `${url.replace(/^http/, 'ws')}/dialer/v1/events`;
    this.#issuer = issuer;
  }

  /** Resolves when all have been let in. @throws Error when one is not */
  async open(sellers: readonly string[], onFrame: (frame: Arrival) => void): Promise<void> {
    for (let from = 0; from < sellers.length; from += atOnce)
      await Promise.all(sellers.slice(from, from + atOnce).map((seller) => this.#open(seller, onFrame)));
  }

  /** How many are still connected. */
  get connected(): number {
    return this.#sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#sockets.map(async (socket) => {
        if (socket.readyState === WebSocket.CLOSED) return;
        const closed = once(socket, 'close');
        socket.terminate();
        await closed;
      }),
    );
  }

  async #open(seller: string, onFrame: (frame: Arrival) => void): Promise<void> {
    const token = await this.#issuer.mint({ oid: seller });
    const socket = new WebSocket(this.#url, { perMessageDeflate: false });
    this.#sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`a dialer was not let in for ${openDeadlineMs} ms`)),
        openDeadlineMs,
      );
      socket.on('open', () => socket.send(JSON.stringify({ type: 'authenticate', token })));
      socket.on('error', reject);
      socket.on('close', (code, reason) => reject(new Error(`a dialer was closed: ${code} ${reason}`)));
      socket.on('message', (data) => {
        const atMs = Date.now();
        const frame = frameSchema.parse(JSON.parse(String(data)));
        if (frame.type === 'authenticated') {
          clearTimeout(timer);
          resolve();
        } else onFrame({ ...frame, atMs });
      });
    });
  }
}
