import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceKey } from './source-key.js';

for (const [host, key] of [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:5:6:7:8:9:a', '2001:db8:5:6::/64'],
  ['2001:DB8:5:6::1', '2001:db8:5:6::/64'],
  ['2001:0db8:0005:0006:ffff::', '2001:db8:5:6::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
] as const) {
  test(`${host} is of source ${key}`, () => {
    assert.equal(sourceKey(host), key);
  });
}
