// A connection to the admin port without drachtio-srf, for what the library hides.
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
  #wake: () => void = () => undefined;
  #messages = 0;

  private constructor(socket: Socket) {
    const reader = new FrameReader(999_999);
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const payload of reader.push(chunk)) {
        const text = payload.toString('utf8');
        const end = text.indexOf('\r\n');
        const meta = end < 0 ? text : text.slice(0, end);
        this.frames.push({ fields: meta.split('|'), sip: end < 0 ? '' : text.slice(end + 2) });
      }
      this.#wake();
    });
  }

  static async open({ admin }: EdgeHandle): Promise<AdminSocket> {
    const socket = connect(admin.port, admin.host);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new AdminSocket(socket);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Sends a command, with a SIP text after its meta line if one is given, and gives the fields of the answer. */
  async ask(command: string, sip?: string): Promise<readonly string[]> {
    this.#messages += 1;
    const id = `message-${this.#messages}`;
    this.write(encodeFrame(`${id}|${command}${sip === undefined ? '' : `\r\n${sip}`}`));
    return (await this.take((frame) => frame.fields[1] === 'response' && frame.fields[2] === id)).fields;
  }

  /** The next `sip` frame whose message begins with this text. */
  async sip(start: string): Promise<ReceivedFrame> {
    return this.take((frame) => frame.fields[1] === 'sip' && frame.sip.startsWith(start));
  }

  close(): void {
    this.#socket.destroy();
  }

  async take(matches: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    for (;;) {
      const at = this.frames.findIndex(matches);
      const [found] = at < 0 ? [] : this.frames.splice(at, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
