// Server-sent events as a test reads them (HTML standard §9.2), over HTTPS with an authority of its own.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';

export interface ReadEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export class EventReader {
  readonly status: number;
  readonly type: string;
  readonly events: ReadEvent[] = [];
  /** As the stream said last, also without an event. */
  lastEventId = '';
  ended = false;
  readonly #answer: IncomingMessage;
  #text = '';

  private constructor(answer: IncomingMessage) {
    this.#answer = answer;
    this.status = answer.statusCode ?? 0;
    this.type = answer.headers['content-type'] ?? '';
    answer.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    answer.on('close', () => {
      this.ended = true;
    });
    answer.on('error', () => undefined);
  }

  /** @param ca authority of the server's certificate, PEM */
  static async open(url: string, ca: string, token: string, lastEventId?: string): Promise<EventReader> {
    const headers = {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    const request = get(url, { ca, headers, agent: false, signal: AbortSignal.timeout(120_000) });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined);
    return new EventReader(answer);
  }

  close(): void {
    this.#answer.destroy();
  }

  #read(text: string): void {
    const blocks = `${this.#text}${text}`.split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)?.slice(1, 3) as [string, string]),
      );
      const id = fields.get('id');
      if (id !== undefined) this.lastEventId = id;
      const data = fields.get('data');
      if (data === undefined) continue;
      this.events.push({ id: this.lastEventId, event: fields.get('event') ?? '', data: JSON.parse(data) });
    }
  }
}
