// The table: every behaviour of a recorder that Sidestream has to live with.
import {
  answerInactive,
  answerInMultipart,
  answerInPlainRtp,
  answerInstantly,
  answerOneCodec,
  answerOneStream,
  answerTooLate,
  answerWithOtherSuite,
  answerWithoutCrypto,
  byeAfter,
  combine,
  deadAfter,
  delayAnswer,
  floodWithReinvites,
  forgetDialogs,
  glare,
  ignoreOptions,
  ignorePings,
  inactiveThenRecvonly,
  keepTrying,
  overloaded,
  refreshSession,
  refuseAtFirst,
  refuseOneStream,
  rejectWith,
  renameLabels,
  requestSnapshot,
  resetAfter,
  resetBeforeInvite,
  resetOnInvite,
  restartAfter,
  staySilent,
  swallowAfter,
  wantLongerSessions,
  wellBehaved,
} from '@sidestream/simulators';
import type { Recorders } from './lane.js';
import type { Outcome } from './outcome.js';
import type { Row } from './row.js';

const recorded: Outcome = { parts: ['first'], voices: 2, ended: 'call-ended' };
const byTheNext: Outcome = { parts: ['second'], voices: 2, ended: 'call-ended' };
const goesOn: Outcome = { parts: ['first', 'second'], voices: 2, ended: 'call-ended' };
const waits: Outcome = { parts: [], voices: 0, ended: 'recorder-inactive' };
const failed = (ended: string): Outcome => ({ parts: [], voices: 0, ended });

const snapshotCame = {
  what: 'a snapshot has come',
  holds: ({ first }: Recorders) =>
    first.sessions[0]?.metadata.some(({ method }) => method === 're-INVITE' || method === 'UPDATE') === true,
};
const secondHears = {
  what: 'the next recorder hears both',
  holds: ({ second }: Recorders) =>
    second.sessions[0]?.streams.every(({ statistics }) => statistics.received > 25) === true,
};
const has = (what: string, message: string, times: number) => ({
  what,
  holds: (recorders: Recorders) => recorders.count(message) >= times,
});

const answers: readonly Row[] = [
  { name: 'does what it should', behave: () => wellBehaved, outcome: recorded },
  { name: 'answers 200 in less than a millisecond', behave: answerInstantly, outcome: recorded },
  { name: 'answers after one second', behave: () => delayAnswer(1_000), outcome: recorded },
  { name: 'answers in a multipart body', behave: answerInMultipart, outcome: recorded },
  { name: 'renames the labels', behave: renameLabels, outcome: recorded },
  {
    name: 'takes one codec that the parties do not speak',
    behave: () => answerOneCodec(8),
    outcome: recorded,
    converted: 8,
  },
  {
    name: 'refuses one of the two streams (port 0)',
    behave: () => refuseOneStream(2),
    outcome: { ...recorded, voices: 1 },
  },
  { name: 'answers one m-line alone', behave: answerOneStream, outcome: byTheNext, untouched: true },
  { name: 'answers RTP/AVP', behave: answerInPlainRtp, outcome: byTheNext, untouched: true },
  { name: 'answers without a=crypto', behave: answerWithoutCrypto, outcome: byTheNext, untouched: true },
  {
    name: 'answers a suite that was not offered',
    behave: () => answerWithOtherSuite(),
    outcome: byTheNext,
    untouched: true,
  },
  { name: 'answers inactive', behave: answerInactive, outcome: waits, untouched: true },
  {
    name: 'answers inactive and re-INVITEs recvonly later',
    behave: () => inactiveThenRecvonly(500),
    outcome: recorded,
    until: {
      what: 'the recorder hears both',
      holds: ({ first }) => first.sessions[0]?.streams.every(({ statistics }) => statistics.received > 25) === true,
    },
  },
];

const refusals: readonly Row[] = [
  { name: 'is silent', behave: staySilent, outcome: byTheNext },
  { name: 'answers 100 and nothing more', behave: keepTrying, outcome: byTheNext },
  {
    name: 'answers 200 after we gave up',
    behave: () => answerTooLate(3_500),
    outcome: byTheNext,
    until: {
      what: 'the late 200 is acknowledged and ended',
      holds: ({ first }) => first.sessions[0]?.endedAt !== undefined,
    },
    untouched: true,
  },
  { name: 'answers 503 with Retry-After', behave: () => overloaded(30), outcome: byTheNext },
  { name: 'answers 486', behave: () => rejectWith(486), outcome: byTheNext },
  { name: 'answers 302', behave: () => rejectWith(302), outcome: byTheNext },
  { name: 'answers 401', behave: () => rejectWith(401), outcome: byTheNext },
  { name: 'answers 420', behave: () => rejectWith(420), outcome: byTheNext },
  { name: 'answers 488', behave: () => rejectWith(488), outcome: byTheNext },
  { name: 'resets every connection before the INVITE', behave: resetBeforeInvite, outcome: byTheNext },
  { name: 'resets the connection that brings the INVITE', behave: resetOnInvite, outcome: byTheNext },
  { name: 'does not listen', behave: () => wellBehaved, away: true, outcome: byTheNext },
  {
    name: 'has a certificate for another name',
    behave: () => wellBehaved,
    certificate: 'other-name',
    outcome: byTheNext,
  },
  {
    name: 'has a certificate of another authority',
    behave: () => wellBehaved,
    certificate: 'other-authority',
    outcome: byTheNext,
  },
  { name: 'has a certificate that has expired', behave: () => wellBehaved, certificate: 'expired', outcome: byTheNext },
];

const alone: readonly Row[] = [
  {
    name: 'answers RTP/AVP, and there is no other',
    behave: answerInPlainRtp,
    alone: true,
    outcome: failed('recorder-answer-unusable'),
    untouched: true,
  },
  {
    name: 'answers without a=crypto, and there is no other',
    behave: answerWithoutCrypto,
    alone: true,
    outcome: failed('recorder-answer-unusable'),
    untouched: true,
  },
  {
    name: 'answers 503, and there is no other',
    behave: () => rejectWith(503),
    alone: true,
    outcome: failed('recorder-refused'),
    detail: /503/,
  },
  {
    name: 'answers 503 twice and then takes the recording, and there is no other',
    behave: () => refuseAtFirst(2),
    alone: true,
    outcome: recorded,
    until: {
      what: 'it hears both',
      holds: ({ first }) => first.sessions[0]?.streams.every(({ statistics }) => statistics.received > 25) === true,
    },
  },
  {
    name: 'is silent, and there is no other',
    behave: staySilent,
    alone: true,
    outcome: failed('recorder-unreachable'),
  },
  {
    name: 'does not listen, and there is no other',
    behave: () => wellBehaved,
    alone: true,
    away: true,
    outcome: failed('recorder-unreachable'),
  },
  {
    name: 'has a certificate for another name, and there is no other',
    behave: () => wellBehaved,
    alone: true,
    certificate: 'other-name',
    outcome: failed('recorder-unreachable'),
    detail: /certificate/i,
  },
  {
    name: 'has a certificate of another authority, and there is no other',
    behave: () => wellBehaved,
    alone: true,
    certificate: 'other-authority',
    outcome: failed('recorder-unreachable'),
    detail: /certificate|issuer/i,
  },
];

const inDialog: readonly Row[] = [
  {
    name: 'refreshes the session by re-INVITE',
    behave: () => refreshSession(300),
    outcome: recorded,
    until: has('three refreshes are answered', 'received 200 INVITE', 3),
  },
  {
    name: 'refreshes the session by UPDATE',
    behave: () => refreshSession(300, 'UPDATE'),
    outcome: recorded,
    until: has('three refreshes are answered', 'received 200 UPDATE', 3),
  },
  {
    name: 'sends 100 re-INVITEs in a row, which are all answered, at least 90 by 200',
    behave: () => floodWithReinvites(100),
    outcome: recorded,
    until: {
      what: 'each is answered',
      // 491 before the relay has heard of the answer to ours (RFC 3261 §14.2).
      holds: (recorders) => {
        const [taken, glared] = [recorders.count('received 200 INVITE'), recorders.count('received 491 INVITE')];
        return taken >= 90 && taken + glared === 100 && recorders.count('sent ACK') === 100;
      },
    },
  },
  {
    name: 'asks for a snapshot by UPDATE',
    behave: () => requestSnapshot(300),
    outcome: recorded,
    until: snapshotCame,
  },
  {
    name: 'asks for a snapshot by re-INVITE',
    behave: () => requestSnapshot(300, 're-INVITE'),
    outcome: recorded,
    until: snapshotCame,
  },
  {
    name: 'answers our first re-INVITE 491',
    behave: () => combine(requestSnapshot(100), glare(1)),
    outcome: recorded,
    until: snapshotCame,
  },
  {
    name: 'answers every re-INVITE of ours 491',
    behave: () => combine(requestSnapshot(100), glare()),
    outcome: recorded,
    until: has('three re-INVITEs are refused', 'sent 491 INVITE', 3),
  },
  {
    name: 'wants a longer session timer than ours (422)',
    behave: () => wantLongerSessions(7_200),
    outcome: recorded,
    until: has('it has said so', 'sent 422 INVITE', 1),
  },
  {
    name: 'resets the connection in mid-call and knows the dialog on the next',
    behave: () => resetAfter(300),
    outcome: recorded,
    until: has('it is asked on the next', 'sent 200 OPTIONS on another connection', 1),
  },
];

const losses: readonly Row[] = [
  {
    name: 'hangs up in mid-call',
    behave: () => byeAfter(300),
    outcome: goesOn,
    gapMs: 1_000,
    until: secondHears,
  },
  {
    name: 'answers 481 within the dialog',
    behave: () => combine(requestSnapshot(300), forgetDialogs()),
    outcome: goesOn,
    gapMs: 1_000,
    until: secondHears,
    keepsSession: true,
  },
  {
    name: 'restarts and knows no dialog',
    behave: () => restartAfter(300, 500),
    outcome: goesOn,
    gapMs: 5_000,
    until: secondHears,
    keepsSession: true,
  },
  {
    name: 'resets the connection and does not answer OPTIONS on the next',
    behave: () => combine(resetAfter(300), ignoreOptions()),
    outcome: goesOn,
    gapMs: 5_000,
    until: secondHears,
  },
  {
    name: 'resets the connection and answers nothing on the next',
    behave: () => combine(deadAfter(300), resetAfter(350)),
    outcome: goesOn,
    gapMs: 5_000,
    until: secondHears,
    keepsSession: true,
    graceMs: 8_000,
  },
  {
    name: 'hangs, its sockets being open, having answered keep-alives before',
    behave: () => deadAfter(300),
    outcome: goesOn,
    gapMs: 20_000,
    until: secondHears,
    keepsSession: true,
    graceMs: 8_000,
  },
  {
    name: 'hangs, its sockets being open, having sent RTCP but never answered a keep-alive',
    behave: () => combine(ignorePings(), deadAfter(4_000)),
    rtcpIntervalMs: 500,
    outcome: goesOn,
    gapMs: 25_000,
    until: secondHears,
    keepsSession: true,
    graceMs: 8_000,
  },
  {
    name: 'sends RTCP, then swallows media without, and answers OPTIONS',
    behave: () => swallowAfter(4_000),
    rtcpIntervalMs: 500,
    outcome: goesOn,
    gapMs: 20_000,
    until: secondHears,
  },
  {
    name: 'never sends RTCP, for longer than its silence would count otherwise',
    behave: () => wellBehaved,
    rtcpIntervalMs: 3_600_000,
    outcome: recorded,
    until: {
      what: 'it has got 20 s of both',
      holds: ({ first }) => first.sessions[0]?.streams.every(({ statistics }) => statistics.received > 1_000) === true,
    },
  },
];

/** Rows whose calls are made at the same time, and the words over them. */
export const groups: readonly { readonly title: string; readonly rows: readonly Row[] }[] = [
  { title: 'answers', rows: answers },
  { title: 'refuses, is silent or cannot be reached', rows: refusals },
  { title: 'is the only one', rows: alone },
  { title: 'speaks within the dialog', rows: inDialog },
  { title: 'is lost in mid-call', rows: losses },
];
