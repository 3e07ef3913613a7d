import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawLadder } from './ladder.js';

test('messages are drawn in order of time between their stations', () => {
  const text = drawLadder([
    { at: 1_020, from: 'sidestream', to: 'recorder', text: 'INVITE' },
    { at: 1_000, from: 'customer', to: 'sidestream', text: 'INVITE' },
    { at: 1_030, from: 'recorder', to: 'sidestream', text: '200 OK (INVITE)' },
  ]);
  const lines = text.split('\n');
  assert.match(lines[0] ?? '', /customer +sidestream +seller +recorder/);
  assert.match(lines[1] ?? '', /0\.000 +│─ INVITE ─+▶│/);
  assert.match(lines[2] ?? '', /0\.020 +│ +│─ INVITE ─+▶│/);
  assert.match(lines[3] ?? '', /0\.030 +│ +│◀ 200 OK \(INVITE\) ─+│/);
});

test('no messages, no rungs', () => {
  assert.equal(drawLadder([]).split('\n').length, 1);
});
