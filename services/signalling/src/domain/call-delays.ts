// What the path through us adds to a call, in milliseconds of the monotonic clock: the INVITE's way to the far side and the first
// ringing's way back. What the far side itself takes is not ours and not counted.

export class CallDelays {
  readonly #receivedAtMs: number;
  #outboundMs = 0;
  #inboundMs: number | undefined;

  /** @param receivedAtMs when the near INVITE arrived. */
  constructor(receivedAtMs: number) {
    this.#receivedAtMs = receivedAtMs;
  }

  /** The far INVITE has left; of several targets the last one counts. */
  inviteLeft(nowMs: number): void {
    this.#outboundMs = nowMs - this.#receivedAtMs;
  }

  /** A response of the far side, which came at the first time, has left towards the near side; the first one counts. */
  ringingPassed(arrivedAtMs: number, leftAtMs: number): void {
    this.#inboundMs ??= leftAtMs - arrivedAtMs;
  }

  /** The delays as they are told when the call is answered. */
  atAnswer(answeredAtMs: number): { answerDelayMs: number; postDialDelayMs: number } {
    return {
      answerDelayMs: answeredAtMs - this.#receivedAtMs,
      postDialDelayMs: this.#outboundMs + (this.#inboundMs ?? 0),
    };
  }
}
