// What happens to calls and recordings, for those who watch this instance: the events that are published, whether NATS is there or not.
import type { Event } from '@sidestream/proto/events/v1';
import type { EventBody, EventPublisher } from '@sidestream/service';

export class CallFeed {
  readonly #publisher: Pick<EventPublisher, 'publish'>;
  readonly #watchers = new Set<(event: Event) => void>();

  constructor(publisher: Pick<EventPublisher, 'publish'>) {
    this.#publisher = publisher;
  }

  publish(body: EventBody): Event {
    const event = this.#publisher.publish(body);
    for (const tell of this.#watchers) tell(event);
    return event;
  }

  /** Calls back for every event from now on, until the function that it returns is called. */
  watch(tell: (event: Event) => void): () => void {
    this.#watchers.add(tell);
    return () => void this.#watchers.delete(tell);
  }
}
