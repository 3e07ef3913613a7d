// A dialer as a test sees it: what it was told on its WebSocket, in order, and how that ended.
import { once } from 'node:events';
import { eventually } from '@sidestream/peers';
import { WebSocket } from 'ws';
import { z } from 'zod';

const frameSchema = z.looseObject({
  type: z.string(),
  id: z.string().optional(),
  event: z.string().optional(),
  payload: z.record(z.string(), z.unknown()).default({}),
});
export type Frame = z.output<typeof frameSchema>;

export class Dialer {
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly socket: WebSocket;

  /** @param url of the gateway; a token is sent in the first frame, if there is one */
  constructor(url: string, token?: string, { lastEventId, origin }: { lastEventId?: string; origin?: string } = {}) {
    this.socket = new WebSocket(
      `${url.replace(/^http/, 'ws')}/dialer/v1/events`,
      origin === undefined ? {} : { origin },
    );
    this.socket.on('message', (data) => this.frames.push(frameSchema.parse(JSON.parse(String(data)))));
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.socket.on('error', () => undefined);
    if (token !== undefined)
      this.socket.on('open', () => this.socket.send(JSON.stringify({ type: 'authenticate', token, lastEventId })));
  }

  /** One that has been let in. */
  static async open(url: string, token: string, lastEventId?: string): Promise<Dialer> {
    const dialer = new Dialer(url, token, lastEventId === undefined ? {} : { lastEventId });
    await eventually(() => dialer.frames.length > 0 || dialer.closed !== undefined, 'the dialer is answered');
    return dialer;
  }

  get events(): Frame[] {
    return this.frames.filter(({ type }) => type === 'event');
  }

  async close(): Promise<void> {
    if (this.socket.readyState === this.socket.CLOSED) return;
    const over = once(this.socket, 'close');
    this.socket.terminate();
    await over;
  }
}
