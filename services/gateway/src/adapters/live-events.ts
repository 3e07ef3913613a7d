// What changed, for live pages of operators: no content, the full state is had by asking again. Bounded by their connections.
import type { Event } from '@sidestream/proto/events/v1';
import type { EventStream } from './event-stream.js';

export class LiveEvents {
  readonly #pages = new Map<EventStream, string>();

  add(page: EventStream, tenant: string): () => void {
    this.#pages.set(page, tenant);
    return () => void this.#pages.delete(page);
  }

  /** Tenants' own changes to their own pages; what has no tenant, such as a relay's, to all. */
  tell({ body, time }: Event): void {
    if (body === undefined || this.#pages.size === 0) return;
    const { value } = body;
    const of = 'tenant' in value ? value.tenant : undefined;
    const callId = 'callId' in value ? value.callId : undefined;
    for (const [page, tenant] of this.#pages)
      if (of === undefined || of === tenant) page.send({ event: 'changed', data: { what: body.$case, callId, time } });
  }

  end(): void {
    for (const page of this.#pages.keys()) page.end();
  }
}
