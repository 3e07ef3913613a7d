import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicyFile } from '@sidestream/policy';
import { readParties } from './parties.js';
import { PolicyTable } from './policy-table.js';

const listed = parsePolicyFile('users: [{ id: ada, numbers: ["+15550001"] }]', 'test');
const recorders = ['eastus'];
const tenant = { recorders, enabled: true };
const call = {
  side: 'customer' as const,
  parties: readParties({ requestUri: 'sip:+15550001@sbc', header: () => undefined }),
  at: new Date('2026-11-26T12:00:00Z'),
};

test('one tenant without a policy is no problem of the others; all without one are', () => {
  const table = new PolicyTable({ contoso: tenant, fabrikam: tenant });
  assert.equal(table.problem, 'none usable of contoso, fabrikam');
  assert.deepEqual(table.missing, ['contoso', 'fabrikam']);
  table.swap('contoso', listed, 1);
  assert.equal(table.problem, undefined);
  assert.deepEqual(table.missing, ['fabrikam']);
  assert.equal(new PolicyTable({}).problem, undefined);
});

test('a tenant whose recording is switched off needs no policy, and no call of it is recorded', () => {
  const table = new PolicyTable({ contoso: { recorders, enabled: false } });
  assert.deepEqual(table.missing, []);
  assert.equal(table.problem, undefined);
  assert.equal(table.decide('contoso', call).reason, 'tenant-disabled');
  table.swap('contoso', listed, 1);
  const { record, reason } = table.decide('contoso', call);
  assert.deepEqual({ record, reason }, { record: false, reason: 'tenant-disabled' });
});

test('the snapshot in use decides, with the recorders of the tenant; each swap is told', () => {
  const swaps: unknown[] = [];
  const table = new PolicyTable({ contoso: tenant }, (...swap) => swaps.push(swap));
  assert.equal(table.decide('contoso', call).reason, 'no-policy');
  table.swap('contoso', listed, 7);
  assert.deepEqual(table.decide('contoso', call).recorders, recorders);
  assert.equal(table.decide('fabrikam', call).record, false);
  assert.deepEqual(swaps, [['contoso', listed, 7]]);
});

test('the number that the plan of the trunk knows says who a party is, not how the number was dialled', () => {
  const table = new PolicyTable({ contoso: tenant });
  table.swap('contoso', listed, 1);
  const dialled = { ...call, parties: readParties({ requestUri: 'sip:5550001@sbc', header: () => undefined }) };
  assert.equal(table.decide('contoso', dialled).reason, 'not-listed');
  const numbers = { calling: undefined, called: '+15550001' };
  assert.equal(table.decide('contoso', { ...dialled, numbers }).reason, 'listed');
});

test('a policy that is confirmed again is as fresh as that says', () => {
  const table = new PolicyTable({ contoso: tenant });
  const confirmedAt = (time: string) => ({
    checkedAt: new Date(time),
    rule: 'record-none' as const,
    maxAgeMs: 3_600_000,
  });
  table.confirm('contoso', confirmedAt('2026-11-26T11:59:00Z'));
  assert.deepEqual(table.missing, ['contoso']);
  table.swap('contoso', listed.confirmed(confirmedAt('2026-11-26T10:59:00Z')), 1);
  assert.equal(table.decide('contoso', call).reason, 'policy-stale');
  table.confirm('contoso', confirmedAt('2026-11-26T11:59:00Z'));
  assert.equal(table.decide('contoso', call).reason, 'listed');
});
