// The dialers' events as server-sent events, for clients that can send headers with them (fetch).
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DialerLog } from '../domain/dialer-log.js';
import { arrivalOf } from './arrival.js';
import type { Connections } from './connections.js';
import { EventStream } from './event-stream.js';
import type { Gate } from './gate.js';
import { HttpProblem } from './problem.js';

export interface DialerStreamOptions {
  readonly gate: Pick<Gate, 'user'>;
  readonly dialerLog: DialerLog;
  readonly connections: Connections;
  /** Those that are open are kept here, for whoever ends them all. */
  readonly dialerStreams: Set<EventStream>;
  readonly behindBytes: number;
  readonly isReady: () => boolean;
  /** Whether all that has happened is known here, but for what is on its way. */
  readonly isCurrent: () => boolean;
}

/** Answers until the token ends or the client goes. @throws what makes it a problem instead; nothing was written then */
export async function streamDialerEvents(
  request: IncomingMessage,
  response: ServerResponse,
  { gate, dialerLog, connections, dialerStreams, behindBytes, isReady, isCurrent }: DialerStreamOptions,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const leave = connections.arrive(request);
  if (leave === undefined) throw new HttpProblem(429, 'too-many-connections', 'too many connections');
  response.once('close', leave);
  try {
    const user = await gate.user(request);
    // Who has gone meanwhile closes no second time.
    if (response.destroyed) return;
    if (!isReady()) throw new HttpProblem(503, 'not-ready', 'not ready yet');
    const lastEventId = request.headers['last-event-id'];
    if (typeof lastEventId === 'string') await arrivalOf(lastEventId, user, dialerLog);
    if (response.destroyed) return;
    const resumption = typeof lastEventId === 'string' ? dialerLog.after(user, lastEventId) : { missed: [] };
    if (resumption === 'ahead' && !isCurrent())
      throw new HttpProblem(503, 'not-ready', 'not ready for this Last-Event-ID yet');
    if (typeof resumption === 'string')
      throw new HttpProblem(409, 'unknown-event', 'Last-Event-ID was never given out');
    const left = connections.enter(`${user.tenant}/${user.seller}`);
    if (left === undefined) throw new HttpProblem(429, 'too-many-connections', 'too many connections');
    const stream = new EventStream(response, behindBytes, headers);
    dialerStreams.add(stream);
    if (lastEventId === undefined) stream.begin(dialerLog.placeOf(user));
    for (const { id, event, payload } of resumption.missed) stream.send({ id, event, data: payload });
    const unlisten = dialerLog.listen(user, ({ id, event, payload }) => stream.send({ id, event, data: payload }));
    const timer = setTimeout(() => stream.end(), Math.min(2 ** 31 - 1, user.expiresAtMs - Date.now()));
    response.once('close', () => {
      clearTimeout(timer);
      dialerStreams.delete(stream);
      unlisten();
      left();
    });
  } catch (error) {
    leave();
    throw error;
  }
}
