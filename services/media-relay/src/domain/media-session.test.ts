import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SidestreamError } from '@sidestream/service';
import {
  apply,
  type Command,
  type MediaSession,
  maxForksPerSession,
  newSession,
  permit,
  type SessionEvent,
} from './media-session.js';
import type { Party } from './ports.js';

const parties: readonly Party[] = ['customer', 'seller'];
const offer = { streams: [], refusals: [undefined, undefined] };
const offered: SessionEvent = { kind: 'offered', by: 'customer' };
const forked = { kind: 'fork-offered', fork: 'f', parties, codec: undefined, offer } satisfies SessionEvent;

function after(...events: SessionEvent[]): MediaSession {
  return events.reduce(apply, newSession('s', new Date(0)));
}

function refused(session: MediaSession, command: Command, code: string): void {
  assert.throws(
    () => permit(session, command),
    (error: unknown) => error instanceof SidestreamError && error.code === code,
  );
}

test('an answer needs an offer of the other party; a second answer to it is taken (183, then 200)', () => {
  refused(after(), { kind: 'answer', by: 'seller' }, 'bad-request');
  refused(after(offered), { kind: 'answer', by: 'customer' }, 'bad-request');
  permit(after(offered), { kind: 'answer', by: 'seller' });
  permit(after(offered, { kind: 'answered' }), { kind: 'answer', by: 'seller' });
});

test('an offer is taken in every state', () => {
  for (const session of [after(), after(offered), after(offered, { kind: 'answered' })])
    permit(session, { kind: 'offer' });
});

test('a fork needs an offered session, and known parties, each once', () => {
  const start = { kind: 'start-fork', fork: 'f', parties } as const;
  refused(after(), start, 'bad-request');
  permit(after(offered), start);
  const answered = after(offered, { kind: 'answered' });
  permit(answered, start);
  refused(answered, { ...start, parties: [] }, 'bad-request');
  refused(answered, { ...start, parties: ['seller', 'seller'] }, 'bad-request');
});

test('a fork that is offered again keeps its order', () => {
  const session = after(offered, { kind: 'answered' }, forked);
  for (const kind of ['start-fork', 'resume-fork'] as const) {
    permit(session, { kind, fork: 'f', parties });
    refused(session, { kind, fork: 'f', parties: [...parties].reverse() }, 'bad-request');
  }
});

test('a fork is answered when it was offered or answered, not when it is paused, in doubt or gone', () => {
  const answer = { kind: 'answer-fork', fork: 'f' } as const;
  const base = [offered, { kind: 'answered' }, forked] as const;
  permit(after(...base), answer);
  permit(after(...base, { kind: 'fork-answered', fork: 'f' }), answer);
  refused(after(...base, { kind: 'fork-paused', fork: 'f' }), answer, 'bad-request');
  refused(after(...base, { kind: 'fork-doubtful', fork: 'f', parties }), answer, 'bad-request');
  refused(after(...base, { kind: 'fork-stopped', fork: 'f' }), answer, 'not-found');
});

test('pause and resume need the fork', () => {
  refused(after(), { kind: 'pause-fork', fork: 'f' }, 'not-found');
  refused(after(offered, { kind: 'answered' }), { kind: 'resume-fork', fork: 'f', parties }, 'not-found');
});

test('the forks that ever were are bounded; a known one may come back', () => {
  const ids = Array.from({ length: maxForksPerSession }, (_, n) => `f${n}`);
  const session = ids.reduce(
    (state, fork) => apply(apply(state, { ...forked, fork }), { kind: 'fork-stopped', fork }),
    after(offered, { kind: 'answered' }),
  );
  assert.equal(session.forks.size, 0);
  refused(session, { kind: 'start-fork', fork: 'one more', parties }, 'forks-exhausted');
  permit(session, { kind: 'start-fork', fork: 'f0', parties });
});

test('what a fork is turned into is kept while it is in doubt and after it was stopped', () => {
  const base = [offered, { kind: 'answered' }, { ...forked, codec: 'PCMU' }] as const;
  for (const event of [
    { kind: 'fork-doubtful', fork: 'f', parties },
    { kind: 'fork-stopped', fork: 'f' },
  ] as const)
    assert.equal(after(...base, event).everForked.get('f'), 'PCMU');
});

test('an event about a fork that is gone changes nothing', () => {
  const session = after(offered);
  assert.equal(apply(session, { kind: 'fork-paused', fork: 'gone' }), session);
});
