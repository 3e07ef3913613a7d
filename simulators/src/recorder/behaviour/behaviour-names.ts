/** The names of behaviours for command lines, with what they mean. */
import {
  answerInactive,
  answerInMultipart,
  answerInPlainRtp,
  answerInstantly,
  answerOneCodec,
  answerOneStream,
  answerWithOtherSuite,
  answerWithoutCrypto,
  refuseOneStream,
  renameLabels,
} from './answers.js';
import { type Behaviour, combine } from './behaviour.js';
import { byeAfter, floodWithReinvites, inactiveThenRecvonly, refreshSession, requestSnapshot } from './initiatives.js';
import {
  deadAfter,
  forgetDialogs,
  ignoreOptions,
  ignorePings,
  networkDelay,
  resetAfter,
  resetBeforeInvite,
  resetOnInvite,
  restartAfter,
  swallowAfter,
} from './losses.js';
import {
  answerTooLate,
  delayAnswer,
  glare,
  keepTrying,
  overloaded,
  rejectWith,
  staySilent,
  wantLongerSessions,
} from './refusals.js';

interface NamedBehaviour {
  /** What the number after `=` is; without it the name stands alone. */
  readonly value?: 'MS' | 'N' | 'S' | 'STATUS' | 'PT';
  /** The number where none is given. */
  readonly otherwise?: number;
  readonly what: string;
  make(value: number): Behaviour;
}

/** When a restart begins after the first answer. */
const RESTART_AFTER_MS = 500;

const NAMED: Readonly<Record<string, NamedBehaviour>> = {
  silent: { what: 'no answer to INVITE, not even 100', make: staySilent },
  trying: { what: '100 to INVITE and nothing more', make: keepTrying },
  delay: { value: 'MS', what: 'answers INVITE and re-INVITE late', make: delayAnswer },
  late: { value: 'MS', what: 'answers 200 late, CANCEL or not', make: answerTooLate },
  instant: { what: '200 in the millisecond of the INVITE', make: answerInstantly },
  reject: {
    value: 'STATUS',
    otherwise: 503,
    what: 'refuses INVITE with this status, 300 to 699',
    make: (status) => rejectWith(status),
  },
  overloaded: { value: 'S', otherwise: 5, what: '503 with Retry-After', make: overloaded },
  'plain-rtp': { what: 'answers RTP/AVP without keys', make: answerInPlainRtp },
  'no-crypto': { what: 'answers RTP/SAVP without a=crypto', make: answerWithoutCrypto },
  'wrong-suite': { what: 'answers a suite that was not offered', make: () => answerWithOtherSuite() },
  'one-stream': { what: 'answers one m-line', make: answerOneStream },
  'port-zero': { value: 'N', otherwise: 2, what: 'refuses stream N by port 0', make: refuseOneStream },
  'rename-labels': { what: 'answers other labels', make: renameLabels },
  'one-codec': { value: 'PT', otherwise: 8, what: 'takes one payload type alone', make: answerOneCodec },
  multipart: { what: 'wraps the answer in a multipart body', make: answerInMultipart },
  inactive: { what: 'answers a=inactive', make: answerInactive },
  'inactive-then-recvonly': {
    value: 'MS',
    otherwise: 500,
    what: 'answers a=inactive and re-INVITEs recvonly after MS',
    make: inactiveThenRecvonly,
  },
  'bye-after': { value: 'MS', what: 'hangs up', make: byeAfter },
  refresh: {
    value: 'MS',
    otherwise: 90_000,
    what: 'refreshes the session by re-INVITE every MS',
    make: refreshSession,
  },
  'refresh-by-update': {
    value: 'MS',
    otherwise: 90_000,
    what: 'the same by UPDATE',
    make: (ms) => refreshSession(ms, 'UPDATE'),
  },
  'min-se': { value: 'S', otherwise: 3_600, what: '422 to a shorter Session-Expires', make: wantLongerSessions },
  snapshot: { value: 'MS', otherwise: 500, what: 'asks for a snapshot by UPDATE', make: requestSnapshot },
  'snapshot-by-reinvite': {
    value: 'MS',
    otherwise: 500,
    what: 'the same by re-INVITE',
    make: (ms) => requestSnapshot(ms, 're-INVITE'),
  },
  flood: {
    value: 'N',
    otherwise: 50,
    what: 'sends N re-INVITEs, one on the heels of the other',
    make: floodWithReinvites,
  },
  glare: {
    value: 'N',
    otherwise: Number.POSITIVE_INFINITY,
    what: '491 to the first N re-INVITEs, to all without a number',
    make: glare,
  },
  'ignore-options': { what: 'no answer to OPTIONS within a dialog', make: ignoreOptions },
  'ignore-pings': { what: 'no answer to CRLF keep-alives', make: ignorePings },
  'dead-after': { value: 'MS', otherwise: 500, what: 'answers nothing more, sockets open', make: deadAfter },
  'forget-dialogs': { what: '481 to everything within a dialog', make: forgetDialogs },
  'swallow-after': { value: 'MS', otherwise: 500, what: 'takes no media, sends no RTCP', make: swallowAfter },
  restart: {
    value: 'MS',
    otherwise: 500,
    what: 'dies after its first answer, back after MS without memory',
    make: (downMs) => restartAfter(RESTART_AFTER_MS, downMs),
  },
  'reset-before-invite': { what: 'resets connections as they come', make: resetBeforeInvite },
  'reset-on-invite': { what: 'resets the connection that brings an INVITE', make: resetOnInvite },
  'reset-after': { value: 'MS', otherwise: 500, what: 'resets the connection after its answer', make: resetAfter },
  'network-delay': { value: 'MS', otherwise: 50, what: 'is so far away, each way, SIP and media', make: networkDelay },
};

/** Every name. */
export const behaviourNames: readonly string[] = Object.keys(NAMED);

/** A line for each name: `reject=STATUS  refuses INVITE …`. */
export const behaviourHelp: string = Object.entries(NAMED)
  .map(([name, { value, what }]) => `  ${(value === undefined ? name : `${name}=${value}`).padEnd(26)} ${what}`)
  .join('\n');

/** Reads names from a command line: `plain-rtp`, `reject=503`, several separated by commas. RangeError names the wrong one. */
export function parseBehaviour(text: string): Behaviour {
  return combine(
    ...text
      .split(',')
      .filter((part) => part !== '')
      .map(one),
  );
}

function one(part: string): Behaviour {
  const [, name = '', digits] = /^([a-z-]+)(?:=(\d{1,7}))?$/.exec(part) ?? [];
  const named = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  const unknown = () =>
    new RangeError(`unknown behaviour ${JSON.stringify(part)}; there are ${behaviourNames.join(', ')}`);
  if (named === undefined || (digits !== undefined && named.value === undefined)) throw unknown();
  const value = digits === undefined ? (named.otherwise ?? 0) : Number(digits);
  if (named.value === 'STATUS' && (value < 300 || value > 699)) throw unknown();
  return named.make(value);
}
