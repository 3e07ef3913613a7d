// Which datagram each answer is for, so that amplification shows one by one and not only in totals. Knows requests by the branch of their Via.

/** A datagram that was sent. */
interface Entry {
  readonly what: string;
  readonly method: string;
  readonly bytes: number;
  readonly answers: Map<string, number>;
}

/** What is said of a request comes on top of what it said itself: a tag, Warning, Reason, Allow. */
const mostAddedBytes = 600;
const mostFindings = 20;

export class AnswerLedger {
  readonly #entries = new Map<string, Entry>();
  readonly #findings = new Set<string>();
  #unknown = 0;

  /** Answers that no datagram is known for: its branch was bent. */
  get unknown(): number {
    return this.#unknown;
  }

  /** What must not have come, bounded in number. */
  get findings(): readonly string[] {
    return [...this.#findings];
  }

  sent(datagram: Buffer): void {
    const text = datagram.toString('latin1');
    const [startLine = ''] = text.split(/\r?\n/, 1);
    const method = /^SIP\/2\.0 \d/.test(startLine) ? 'response' : (startLine.split(' ')[0] ?? '');
    const entry = { what: startLine.slice(0, 80), method, bytes: datagram.length, answers: new Map<string, number>() };
    const branch = branchIn(text);
    if (branch !== undefined) this.#entries.set(branch, entry);
  }

  heard(answer: Buffer): void {
    const text = answer.toString('latin1');
    const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1];
    if (status === undefined) {
      this.#found(`a request: ${text.slice(0, 80)}`);
      return;
    }
    const entry = this.#entries.get(branchIn(text) ?? '');
    if (entry === undefined) {
      this.#unknown += 1;
      return;
    }
    const copies = (entry.answers.get(status) ?? 0) + 1;
    entry.answers.set(status, copies);
    const { method, what, bytes, answers } = entry;
    if (method === 'response' || method === 'ACK') this.#found(`${status} to ${what}`);
    // RFC 3261 §17.2.1: a final response to INVITE is repeated until its ACK, a provisional one never by itself.
    const repeats = method === 'INVITE' && Number(status) >= 200;
    if (copies > 1 && !repeats) this.#found(`${copies} times ${status} to ${what}`);
    const finals = [...answers.keys()].filter((one) => Number(one) >= 200);
    if (finals.length > 1 || (method !== 'INVITE' && answers.size > 1))
      this.#found(`${[...answers.keys()].join(' and ')} to ${what}`);
    if (answer.length > bytes + mostAddedBytes)
      this.#found(`${answer.length} bytes of ${status} to ${bytes} of ${what}`);
  }

  #found(what: string): void {
    if (this.#findings.size < mostFindings) this.#findings.add(what);
  }
}

function branchIn(text: string): string | undefined {
  return /z9hG4bK\d+x\d+/.exec(text)?.[0];
}
