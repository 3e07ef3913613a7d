// What changed, for live pages of operators: no content, the full state is had by asking again. Bounded by their connections.
import type { Event } from '@sidestream/proto/events/v1';
import { eventSubject } from '@sidestream/service';
import type { EventStream, ServerSentEvent } from './event-stream.js';

export class LiveEvents {
  readonly #pages = new Map<EventStream, string>();

  add(page: EventStream, tenant: string): () => void {
    this.#pages.set(page, tenant);
    return () => void this.#pages.delete(page);
  }

  /** Tenants' own changes to their own pages, those of relays to all. @param of the tenant, where it is known */
  tell({ body, time }: Event, of: string | undefined): void {
    if (body === undefined || this.#pages.size === 0) return;
    const { value } = body;
    const kind = eventSubject(body).replace('events.', '');
    const callId = 'callId' in value ? value.callId : undefined;
    const forAll = body.$case === 'mediaUp' || body.$case === 'mediaDown';
    this.#send({ event: kind, data: { callId, time } }, (tenant) => forAll || of === tenant);
  }

  /** A call has gone with its instance. */
  tellLost(callId: string, time: Date, of: string): void {
    this.#send({ event: 'call.lost', data: { callId, time } }, (tenant) => of === tenant);
  }

  #send(event: ServerSentEvent, isFor: (tenant: string) => boolean): void {
    for (const [page, tenant] of this.#pages) if (isFor(tenant)) page.send(event);
  }

  end(): void {
    for (const page of this.#pages.keys()) page.end();
  }
}
