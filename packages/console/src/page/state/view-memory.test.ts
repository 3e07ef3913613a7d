import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ViewMemory } from './view-memory.js';

function tab(): Storage {
  const kept = new Map<string, string>();
  const storage: Partial<Storage> = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
  };
  return storage as Storage;
}

const viewOf = ({ openedCall, callWords, recordWords }: ViewMemory) => [
  openedCall.value,
  callWords.value,
  recordWords.value,
];

/** What Olga leaves in the tab when her session ends. */
function left(storage: Storage): void {
  const memory = new ViewMemory(storage);
  memory.enter('olga');
  memory.openedCall.value = 'call-1';
  memory.callWords.value = 'inbound';
  memory.recordWords.value = 'busy';
}

test('the same view is there after a sign-in of the same user', () => {
  const storage = tab();
  left(storage);
  const memory = new ViewMemory(storage);
  memory.enter('olga');
  assert.deepEqual(viewOf(memory), ['call-1', 'inbound', 'busy']);
});

test('another user who signs in in the tab finds nothing of the former one', () => {
  const storage = tab();
  left(storage);
  const memory = new ViewMemory(storage);
  memory.enter('otto');
  assert.deepEqual(viewOf(memory), [undefined, '', '']);
  assert.deepEqual(viewOf(new ViewMemory(storage)), [undefined, '', '']);
});

test('a storage with something else in it is begun anew', () => {
  for (const text of ['', '[', '7', '{"owner":7,"openedCall":7,"callWords":null}']) {
    const storage = tab();
    storage.setItem('view', text);
    assert.deepEqual(viewOf(new ViewMemory(storage)), [undefined, '', ''], text);
  }
});
