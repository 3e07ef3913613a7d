/**
 * Ways in which the recorder can misbehave, so that a client's defences can be tried. A behaviour is a set of hooks, each
 * called at one moment of a recording session; a new misbehaviour is a new function here and nothing elsewhere.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AnswerBody, AnswerStream } from './recording-answer.js';

/** What to do with an INVITE instead of answering 200. */
export type Decision =
  | 'silence'
  | { status: number; reason?: string; headers?: readonly (readonly [string, string])[] };

/** Moments at which a recorder may differ from a good one. All hooks are optional. */
export interface Behaviour {
  /** Before an INVITE (`initial`) or re-INVITE is answered; `signal` aborts when it is cancelled or the recorder closes. */
  beforeAnswer?(invite: { initial: boolean; signal: AbortSignal }): Promise<Decision | undefined>;
  /** Changes one m-line of the answer; `index` counts from 0. */
  changeStream?(stream: AnswerStream, index: number): AnswerStream;
  /** Changes or wraps the answer's body. */
  changeBody?(body: AnswerBody): AnswerBody;
  /** After the 200; `bye` ends the recording session from the recorder's side. */
  answered?(session: { initial: boolean; bye(): Promise<void> }): void;
}

/** Good behaviour: no hooks. */
export const wellBehaved: Behaviour = {};

/** Answers in clear, without keys. Whoever sends media after this sends it in plaintext. */
export function answerInPlainRtp(): Behaviour {
  return { changeStream: (stream) => ({ ...stream, protocol: 'RTP/AVP', crypto: undefined }) };
}

/** Answers RTP/SAVP without a=crypto (RFC 4568 §5.1.2: such a stream must not be used). */
export function answerWithoutCrypto(): Behaviour {
  return { changeStream: (stream) => ({ ...stream, crypto: undefined }) };
}

/** Answers every stream inactive: the recorder waits (RFC 7866 §7.2). */
export function answerInactive(): Behaviour {
  return { changeStream: (stream) => ({ ...stream, direction: 'inactive' }) };
}

/** Gives each stream another label than the offer's. */
export function renameLabels(): Behaviour {
  return { changeStream: (stream, index) => ({ ...stream, label: `recorder-${index + 1}` }) };
}

/** Refuses initial INVITEs with this status, 300 to 699. */
export function rejectWith(
  status: number,
  reason?: string,
  headers?: readonly (readonly [string, string])[],
): Behaviour {
  const decision: Decision = {
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(headers === undefined ? {} : { headers }),
  };
  return { beforeAnswer: async ({ initial }) => (initial ? decision : undefined) };
}

/** Never answers an initial INVITE, nor refuses it. */
export function staySilent(): Behaviour {
  return { beforeAnswer: async ({ initial }) => (initial ? 'silence' : undefined) };
}

/** Answers late; INVITE and re-INVITE alike. */
export function delayAnswer(delayMs: number): Behaviour {
  return {
    beforeAnswer: async ({ signal }) => {
      try {
        await delay(delayMs, undefined, { signal });
        return undefined;
      } catch {
        return 'silence';
      }
    },
  };
}

/** Hangs up this long after the first answer. */
export function byeAfter(delayMs: number): Behaviour {
  return {
    answered: ({ initial, bye }) => {
      if (initial) setTimeout(() => void bye().catch(() => undefined), delayMs).unref();
    },
  };
}

/** Puts the SDP answer into a multipart body, as some recorders do. */
export function answerInMultipart(): Behaviour {
  return {
    changeBody: ({ contentType, body }) => {
      const boundary = 'recorder=answer';
      const head = `--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n`;
      const whole = Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--\r\n`)]);
      return { contentType: `multipart/mixed;boundary="${boundary}"`, body: whole };
    },
  };
}

/** Several at once, in order: the first decision counts, changes are applied one after another. */
export function combine(...behaviours: readonly Behaviour[]): Behaviour {
  return {
    beforeAnswer: async (invite) => {
      for (const behaviour of behaviours) {
        const decision = await behaviour.beforeAnswer?.(invite);
        if (decision !== undefined) return decision;
      }
      return undefined;
    },
    changeStream: (stream, index) => behaviours.reduce((s, { changeStream }) => changeStream?.(s, index) ?? s, stream),
    changeBody: (body) => behaviours.reduce((b, { changeBody }) => changeBody?.(b) ?? b, body),
    answered: (session) => {
      for (const behaviour of behaviours) behaviour.answered?.(session);
    },
  };
}

const NAMED: Readonly<Record<string, (value: number) => Behaviour>> = {
  'plain-rtp': answerInPlainRtp,
  'no-crypto': answerWithoutCrypto,
  inactive: answerInactive,
  'rename-labels': renameLabels,
  multipart: answerInMultipart,
  silent: staySilent,
  reject: (status) => rejectWith(Math.max(300, status || 503)),
  delay: delayAnswer,
  'bye-after': byeAfter,
};

/** Names for command lines: `plain-rtp`, `reject=503`, `delay=2000`, several separated by commas. */
export const behaviourNames: readonly string[] = Object.keys(NAMED);

/** Reads such names; RangeError names the unknown one. */
export function parseBehaviour(text: string): Behaviour {
  const parts = text.split(',').filter((part) => part !== '');
  return combine(
    ...parts.map((part) => {
      const [name = '', value = '0'] = part.split('=');
      const make = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
      if (make === undefined || !/^\d{1,7}$/.test(value)) {
        throw new RangeError(`unknown behaviour ${JSON.stringify(part)}; there are ${behaviourNames.join(', ')}`);
      }
      return make(Number(value));
    }),
  );
}
