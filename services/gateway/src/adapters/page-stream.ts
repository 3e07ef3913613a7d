// What changed, as server-sent events to one page of an operator, who reads again what it concerns.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connections } from './connections.js';
import { EventStream } from './event-stream.js';
import type { Gate } from './gate.js';
import type { LiveEvents } from './live-events.js';
import { HttpProblem } from './problem.js';

export interface PageStreamOptions {
  readonly gate: Pick<Gate, 'operator'>;
  readonly connections: Connections;
  readonly live: LiveEvents;
  readonly behindBytes: number;
}

/** Answers until the token ends or the page goes. @throws what makes it a problem instead; nothing was written then */
export async function streamPageEvents(
  request: IncomingMessage,
  response: ServerResponse,
  { gate, connections, live, behindBytes }: PageStreamOptions,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const leave = connections.arrive(request);
  if (leave === undefined) throw tooMany();
  response.once('close', leave);
  try {
    const user = await gate.operator(request);
    // Who has gone meanwhile closes no second time.
    if (response.destroyed) return;
    // Apart from the same user's dialers: neither keeps the other out.
    const left = connections.enter(`pages ${user.tenant}/${user.seller}`);
    if (left === undefined) throw tooMany();
    const page = new EventStream(response, behindBytes, headers);
    const timer = setTimeout(() => page.end(), Math.min(2 ** 31 - 1, user.expiresAtMs - Date.now()));
    const forget = live.add(page, user.tenant);
    response.once('close', () => {
      clearTimeout(timer);
      forget();
      left();
    });
  } catch (error) {
    leave();
    throw error;
  }
}

function tooMany(): HttpProblem {
  return new HttpProblem(429, 'too-many-connections', 'too many connections');
}
