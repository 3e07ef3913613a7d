// Collects the SIP messages that the simulators saw, for the ladder.
import type { TracedMessage } from '@sidestream/simulators';
import type { LadderMessage, Station } from './ladder.js';

const maxMessages = 10_000;

/** What the stations around Sidestream sent and received; messages of one call are those between two times. */
export class CallTrace {
  readonly #messages: LadderMessage[] = [];

  /** A listener for one station. */
  listener(station: Exclude<Station, 'sidestream'>): (traced: TracedMessage) => void {
    return ({ direction, message, at }) => {
      if (this.#messages.length >= maxMessages) return;
      const [from, to]: [Station, Station] = direction === 'sent' ? [station, 'sidestream'] : ['sidestream', station];
      const text =
        message.kind === 'request' ? message.method : `${message.status} ${message.reason} (${message.cseq.method})`;
      this.#messages.push({ at, from, to, text });
    };
  }

  between(startAt: number, endAt: number): LadderMessage[] {
    return this.#messages.filter(({ at }) => at >= startAt && at <= endAt);
  }
}
