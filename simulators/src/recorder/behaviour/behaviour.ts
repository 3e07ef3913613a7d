/**
 * Ways in which the recorder can misbehave, so that a client's defences can be tried. A behaviour is a set of hooks, each
 * called at one moment of a recording session; a new misbehaviour is a new function beside this file and its name in
 * `behaviour-names.ts`.
 */
import type { SessionExpires, SipRequest } from '@sidestream/sip';
import type { AnswerBody, AnswerStream } from '../recording-answer.js';
import type { LiveSession } from './live-session.js';

type HeaderLines = readonly (readonly [string, string])[];

/** What to do with a request instead of what a good recorder does. */
export type Decision =
  /** Not a word. */
  | 'silence'
  /** The connection that it came on is reset (RST). */
  | 'reset'
  | { status: number; reason?: string; headers?: HeaderLines };

/** An INVITE or re-INVITE (`initial` says which) that waits; `signal` aborts when it is cancelled or the recorder closes. */
export interface InviteMoment {
  initial: boolean;
  signal: AbortSignal;
  request: SipRequest;
}

/** Moments at which a recorder may differ from a good one. All hooks are optional. */
export interface Behaviour {
  /** Distance of the recorder, each way, on SIP and on media. */
  networkDelayMs?: number;
  /** Answers before anything is checked, with ports that were opened before. */
  instant?: boolean;
  /** False resets new connections before a byte is read. */
  admitsConnections?: boolean;
  /** False: the keep-alives of clients (RFC 5626 §3.5.1) are not answered. */
  answersPings?: boolean;
  /** True: sockets are open, and nothing passes them any more. */
  frozen?(): boolean;
  /** Sees each request before the user agent; the INVITEs that it decides never become sessions. */
  screen?(request: SipRequest): Decision | undefined;
  /** Before an INVITE or re-INVITE is answered, after its 100. */
  beforeAnswer?(invite: InviteMoment): Promise<Decision | undefined>;
  /** Changes the m-lines of the answer to an INVITE (`initial`) or re-INVITE. */
  changeStreams?(streams: readonly AnswerStream[], initial: boolean): readonly AnswerStream[];
  /** Changes or wraps the answer's body. */
  changeBody?(body: AnswerBody): AnswerBody;
  /** The session timer that the 200 asks for (RFC 4028 §9); without it what the client asks for is agreed to. */
  sessionTimer?: SessionExpires;
  /** After the 200 to the INVITE: what the recorder does of its own accord. */
  answered?(session: LiveSession): void;
}

/** Good behaviour: no hooks. */
export const wellBehaved: Behaviour = {};

/** Several at once, in order: the first decision counts, changes are applied one after another. */
export function combine(...behaviours: readonly Behaviour[]): Behaviour {
  if (behaviours.length === 1 && behaviours[0] !== undefined) return behaviours[0];
  const delays = behaviours.map(({ networkDelayMs = 0 }) => networkDelayMs);
  const sessionTimer = firstDefined(behaviours, (behaviour) => behaviour.sessionTimer);
  return {
    ...(sessionTimer === undefined ? {} : { sessionTimer }),
    networkDelayMs: Math.max(0, ...delays),
    instant: behaviours.some(({ instant }) => instant === true),
    admitsConnections: behaviours.every(({ admitsConnections }) => admitsConnections !== false),
    answersPings: behaviours.every(({ answersPings }) => answersPings !== false),
    frozen: () => behaviours.some((behaviour) => behaviour.frozen?.() === true),
    screen: (request) => firstDefined(behaviours, (behaviour) => behaviour.screen?.(request)),
    beforeAnswer: async (invite) => {
      for (const behaviour of behaviours) {
        const decision = await behaviour.beforeAnswer?.(invite);
        if (decision !== undefined) return decision;
      }
      return undefined;
    },
    changeStreams: (streams, initial) =>
      behaviours.reduce((lines, one) => one.changeStreams?.(lines, initial) ?? lines, streams),
    changeBody: (body) => behaviours.reduce((changed, one) => one.changeBody?.(changed) ?? changed, body),
    answered: (session) => {
      for (const behaviour of behaviours) behaviour.answered?.(session);
    },
  };
}

function firstDefined<T, R>(all: readonly T[], of: (one: T) => R | undefined): R | undefined {
  for (const one of all) {
    const found = of(one);
    if (found !== undefined) return found;
  }
  return undefined;
}
