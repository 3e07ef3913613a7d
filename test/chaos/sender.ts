// Sends datagrams at a steady rate from a process of its own, so that the parties' voices don't wait for it. Bounded in number and time.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export interface SendOrder {
  /** Address to send from. */
  readonly host: string;
  readonly to: { readonly host: string; readonly port: number };
  readonly count: number;
  readonly perSecond: number;
  /** Latin-1. Without `hostile` they are sent as they are, one after the other. */
  readonly samples: readonly string[];
  readonly hostile?: { readonly seed: number; readonly callIds: readonly string[] };
}

const sentSchema = z.object({
  sent: z.number(),
  sentBytes: z.number(),
  tookMs: z.number(),
  answers: z.number(),
  answeredBytes: z.number(),
  /** Answers that belong to no datagram that is known by its branch. */
  unknown: z.number(),
  /** Answers that must not have come. */
  findings: z.array(z.string()),
});

/** What was sent, and what came back to the address. */
export type SendResult = z.output<typeof sentSchema>;

const program = fileURLToPath(new URL('./sender-process.js', import.meta.url));
const graceMs = 30_000;

/** Runs the order in a process of its own. @throws Error when it has not done it in time */
export async function send(order: SendOrder): Promise<SendResult> {
  const child: ChildProcess = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const limit = setTimeout(() => child.kill('SIGKILL'), (order.count / order.perSecond) * 1_000 + graceMs);
  try {
    const answered = once(child, 'message').then(([result]) => sentSchema.parse(result));
    const died = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the sender ended with ${code ?? signal}`);
    });
    died.catch(() => undefined);
    child.send(order);
    return await Promise.race([answered, died]);
  } finally {
    clearTimeout(limit);
    child.kill();
  }
}
