// A bad network between an ng client and its engine: every datagram's fate is decided by the test.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Delays in ms after which copies are delivered: [] drops it, [0] passes it, [0, 30] doubles it. */
export type Fate = (direction: 'to-engine' | 'to-client', datagram: Buffer) => readonly number[];

export class UdpProxy {
  readonly #front: Socket;
  readonly #back = createSocket('udp4');
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(front: Socket) {
    this.#front = front;
  }

  static async open(enginePort: number, fate: Fate): Promise<UdpProxy> {
    const front = createSocket('udp4');
    front.bind(0, '127.0.0.1');
    await once(front, 'listening');
    const proxy = new UdpProxy(front);
    proxy.#back.bind(0, '127.0.0.1');
    await once(proxy.#back, 'listening');
    let client = 0;
    front.on('message', (datagram, { port }) => {
      client = port;
      for (const ms of fate('to-engine', datagram))
        proxy.#after(ms, () => proxy.#back.send(datagram, enginePort, '127.0.0.1'));
    });
    proxy.#back.on('message', (datagram) => {
      for (const ms of fate('to-client', datagram)) proxy.#after(ms, () => front.send(datagram, client, '127.0.0.1'));
    });
    return proxy;
  }

  get port(): number {
    return this.#front.address().port;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#front.close();
    this.#back.close();
  }

  #after(ms: number, deliver: () => void): void {
    if (ms === 0) {
      deliver();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      deliver();
    }, ms);
    this.#timers.add(timer);
  }
}

/** The same numbers in [0, 1) at every run. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
