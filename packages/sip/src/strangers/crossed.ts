// For tests: which messages one side of a call has sent and received, as a proof that they did cross.

/** Methods and responses in their order, without copies and without 100s, which go from hop to hop. */
export class Crossed {
  readonly #texts = { sent: [] as string[], received: [] as string[] };
  readonly #known = new Set<string>();

  /** Such as `INVITE, PRACK, 200 UPDATE`. */
  get sent(): string {
    return this.#texts.sent.join(', ');
  }

  get received(): string {
    return this.#texts.received.join(', ');
  }

  /** @param cseq value of the CSeq header */
  note(which: 'sent' | 'received', startLine: string, cseq: string): void {
    const [number = '', method = ''] = cseq.split(' ');
    const status = /^SIP\/2\.0 (\d+)/.exec(startLine)?.[1];
    const text = status === undefined ? method : `${status} ${method}`;
    const copy = `${which} ${number} ${text}`;
    if (status === '100' || this.#known.has(copy)) return;
    this.#known.add(copy);
    this.#texts[which].push(text);
  }
}
