// Policies as policy-sync would write them.
import { createHash } from 'node:crypto';
import { encodeSnapshot, numberKey, openSnapshot, type PolicyPointer, type PolicySnapshot } from '@sidestream/policy';

export interface TestPolicy {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pointer: PolicyPointer;
  readonly snapshot: PolicySnapshot;
}

/** A policy that names one user for each number. */
export function testPolicy(numbers: readonly string[], checkedAt = new Date().toISOString()): TestPolicy {
  const rules = numbers.map((number) => {
    const key = numberKey(number);
    if (key === undefined) throw new Error(`${number} is no number`);
    return { id: `user ${number}`, keys: [key] };
  });
  const { bytes, revision } = encodeSnapshot(rules);
  const pointer: PolicyPointer = {
    version: 1,
    revision,
    object: `contoso/${revision}`,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    users: numbers.length,
    fetchedAt: checkedAt,
    checkedAt,
  };
  return { bytes, pointer, snapshot: openSnapshot(bytes) };
}
