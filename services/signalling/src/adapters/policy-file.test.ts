import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readParties } from '../domain/parties.js';
import { silent } from '../testing/fake-world.js';
import { PolicyFiles } from './policy-file.js';

const folder = mkdtempSync(join(tmpdir(), 'sidestream-policy-'));
const opened: PolicyFiles[] = [];
// Following a file keeps no process alive.
const alive = setInterval(() => {}, 1_000);
after(() => {
  clearInterval(alive);
  for (const policies of opened) policies.close();
  rmSync(folder, { recursive: true, force: true });
});

const listed = (number: string) => `users: [{ id: s1, numbers: ["${number}"] }]`;
const callTo = (number: string) => ({
  direction: 'inbound' as const,
  parties: readParties({ requestUri: `sip:${number}@sbc`, header: () => undefined }, 'inbound'),
});

function open(content: string) {
  const file = join(folder, `policy-${opened.length}.yaml`);
  writeFileSync(file, content);
  const policies = new PolicyFiles([{ tenant: 'contoso', file, recorders: ['eastus'] }], silent);
  opened.push(policies);
  const changed = () => new Promise<void>((resolve) => listeners.push(resolve));
  const listeners: (() => void)[] = [];
  policies.start(() => {
    for (const tell of listeners.splice(0)) tell();
  });
  return { policies, file, changed };
}

test('a changed file is applied as a whole; a broken one leaves the last good policy', async () => {
  const { policies, file, changed } = open(listed('+15550001'));
  assert.deepEqual(policies.decide('contoso', callTo('+15550001')).recorders, ['eastus']);
  assert.equal(policies.decide('contoso', callTo('+15550002')).reason, 'not-listed');
  let next = changed();
  writeFileSync(file, listed('+15550002'));
  await next;
  assert.equal(policies.decide('contoso', callTo('+15550002')).record, true);
  next = changed();
  writeFileSync(file, 'users: [{ id: ');
  await next;
  assert.equal(policies.decide('contoso', callTo('+15550002')).record, true);
  assert.deepEqual(policies.missing, []);
});

test('without any usable policy nobody is recorded and the tenant is named', () => {
  const { policies } = open('users: 7');
  assert.deepEqual(policies.missing, ['contoso']);
  assert.equal(policies.decide('contoso', callTo('+15550001')).reason, 'no-policy');
  assert.equal(policies.decide('unknown', callTo('+15550001')).record, false);
});
