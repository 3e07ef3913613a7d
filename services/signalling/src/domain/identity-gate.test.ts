import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { createAuthority } from '@sidestream/pki';
import { createLogger } from '@sidestream/service';
import type { RegistrationRecord } from '@sidestream/tenant-registration';
import { IdentityGate } from './identity-gate.js';

const authority = await createAuthority('Simulated CA');
const certificate = async (commonName: string, from = authority) =>
  new X509Certificate((await from.issue({ commonName })).certificate);
const [current, renewed, other] = [await certificate('sbc'), await certificate('sbc'), await certificate('other')];
const log = createLogger({ name: 'test', instance: '1', level: 'silent' });
const minute = 60_000;

function accepted({ subject, issuer, fingerprint256 }: X509Certificate): RegistrationRecord {
  const at = new Date().toISOString();
  return { accepted: { contentHash: '', digests: {}, outcome: 'registered', at, subject, issuer, fingerprint256 } };
}

/** A gate whose record and time the test sets. */
function gate(record: RegistrationRecord | undefined) {
  const state = { record, now: Date.now() };
  const options = { tenant: 'contoso', record: () => state.record, log, now: () => new Date(state.now) };
  return { state, gate: new IdentityGate(options) };
}

describe('a changed recorder identity', () => {
  test('of the same names is used at once', () => {
    assert.ok(gate(accepted(current)).gate.mayReplace(current, renewed));
  });

  test('of other names waits for the record, and is used as soon as that names it', async () => {
    const { state, gate: one } = gate(accepted(current));
    assert.ok(!one.mayReplace(current, other));
    state.now += minute;
    assert.ok(!one.mayReplace(current, other));
    state.record = accepted(other);
    assert.ok(one.mayReplace(current, other));
    const reissued = await certificate('sbc', await createAuthority('Next CA'));
    assert.ok(!gate(accepted(current)).gate.mayReplace(current, reissued), 'another issuer is another name');
  });

  test('waits ten minutes at most; one that comes meanwhile begins anew', async () => {
    const { state, gate: one } = gate(accepted(current));
    assert.ok(!one.mayReplace(current, other));
    state.now += 9 * minute;
    const third = await certificate('third');
    assert.ok(!one.mayReplace(current, third));
    state.now += 9 * minute;
    assert.ok(!one.mayReplace(current, third));
    state.now += minute;
    assert.ok(one.mayReplace(current, third));
  });

  test('is used at once where nothing is known, nothing was accepted, or the old names were not', () => {
    for (const record of [undefined, {}, accepted(other)]) {
      assert.ok(gate(record).gate.mayReplace(current, record?.accepted ? renewed : other));
    }
    assert.ok(gate(accepted(other)).gate.mayReplace(current, other));
  });

  test('is used at once when the old one has expired', () => {
    const { state, gate: one } = gate(accepted(current));
    state.now = new Date(current.validTo).getTime();
    assert.ok(one.mayReplace(current, other));
  });
});
