import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended, recordingFailed, started } from '../testing/stream.js';
import { CallTenants } from './call-tenants.js';

function after(...callIds: string[]): CallTenants {
  const tenants = new CallTenants({ maxCalls: 2, maxOver: 1 });
  for (const callId of callIds) tenants.take(started('ada', callId));
  return tenants;
}

test('an event that names no tenant belongs to that of its call, also just after the end of the call', () => {
  const tenants = after('c1');
  assert.equal(tenants.tenantOf(recordingFailed()), 'contoso');
  tenants.take(ended());
  assert.equal(tenants.tenantOf(recordingFailed()), 'contoso');
});

test('calls beyond the bounds are forgotten, the oldest first', () => {
  const full = after('c1', 'c2', 'c3');
  assert.equal(full.tenantOf(recordingFailed()), undefined);
  const over = after('c1');
  over.take(ended());
  over.take(ended(undefined, 'c2'));
  assert.equal(over.tenantOf(recordingFailed()), undefined);
});
