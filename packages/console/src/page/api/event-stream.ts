/** The wire form of server-sent events (WHATWG HTML §9.2), read through fetch, because EventSource can't send a Bearer token. */

export interface ServerEvent {
  /** "message" where the server named none. */
  readonly event: string;
  readonly data: string;
}

/** Longest event that is read; a server that sends a longer one is no gateway. */
const longestEvent = 65_536;

/** Feed it text as it comes; it gives back the events that are complete by then. Throws RangeError on an event beyond all measure. */
export class EventStreamParser {
  #rest = '';
  #event = '';
  #data: string[] = [];

  push(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    const events = lines.map((line) => this.#line(line)).filter((event) => event !== undefined);
    if (this.#rest.length + this.#data.join('').length > longestEvent)
      throw new RangeError(`an event has more than ${longestEvent} characters`);
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') return this.#dispatch();
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === 'event') this.#event = value;
    if (field === 'data') this.#data.push(value);
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const { length } = this.#data;
    const event = { event: this.#event || 'message', data: this.#data.join('\n') };
    this.#event = '';
    this.#data = [];
    return length === 0 ? undefined : event;
  }
}
