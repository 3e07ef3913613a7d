// A connection to the admin port without drachtio-srf, for what the library hides.
import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameReader } from '../domain/frame.js';
import type { EdgeHandle } from './edge-handle.js';

/** A frame from the edge: the fields of its meta line, and what follows. */
export interface ReceivedFrame {
  readonly fields: readonly string[];
  readonly sip: string;
}

export class AdminSocket {
  readonly frames: ReceivedFrame[] = [];
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #patienceMs: number;
  readonly #news = new EventEmitter<{ frames: []; closed: [] }>();
  #messages = 0;

  private constructor(socket: Socket, patienceMs: number) {
    const reader = new FrameReader(999_999);
    this.#socket = socket;
    this.#patienceMs = patienceMs;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const payload of reader.push(chunk)) {
        const text = payload.toString('utf8');
        const end = text.indexOf('\r\n');
        const meta = end < 0 ? text : text.slice(0, end);
        this.frames.push({ fields: meta.split('|'), sip: end < 0 ? '' : text.slice(end + 2) });
      }
      this.#news.emit('frames');
    });
    socket.on('close', () => this.#news.emit('closed'));
  }

  /** @param patienceMs how long it waits for a frame */
  static async open({ admin }: Pick<EdgeHandle, 'admin'>, patienceMs = 5_000): Promise<AdminSocket> {
    const socket = connect(admin.port, admin.host);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new AdminSocket(socket, patienceMs);
  }

  get open(): boolean {
    return !this.#socket.destroyed;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Sends a command, with a SIP text after its meta line if one is given, and gives the fields of the answer. */
  async ask(command: string, sip?: string): Promise<readonly string[]> {
    this.#messages += 1;
    const id = `message-${this.#messages}`;
    this.write(encodeFrame(`${id}|${command}${sip === undefined ? '' : `\r\n${sip}`}`));
    const isAnswer = ({ fields }: ReceivedFrame): boolean => fields[1] === 'response' && fields[2] === id;
    return (await this.take(isAnswer, `answer to ${command}`)).fields;
  }

  /** The next `sip` frame whose message begins with this text. */
  async sip(start: string): Promise<ReceivedFrame> {
    return this.take((frame) => frame.fields[1] === 'sip' && frame.sip.startsWith(start), `SIP message ${start}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The next frame that matches, taken out of what has come. Rejects with what came instead when the edge hangs up or says no more. */
  take(matches: (frame: ReceivedFrame) => boolean, what: string): Promise<ReceivedFrame> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#news.off('frames', look);
        this.#news.off('closed', onClosed);
      };
      const look = (): void => {
        const at = this.frames.findIndex(matches);
        const [found] = at < 0 ? [] : this.frames.splice(at, 1);
        if (found === undefined) return;
        settle();
        resolve(found);
      };
      const fail = (why: string): void => {
        settle();
        const unread = this.frames.map(({ fields }) => fields.join('|')).join('; ') || 'nothing';
        reject(new Error(`no ${what}: ${why}; unread: ${unread}`));
      };
      const onClosed = (): void => fail('the connection is closed');
      const timer = setTimeout(() => fail(`nothing more for ${this.#patienceMs} ms`), this.#patienceMs);
      this.#news.on('frames', look);
      this.#news.once('closed', onClosed);
      look();
      if (!this.open) onClosed();
    });
  }
}
