import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewaySchema } from './gateway-schema.js';

const issuer = { tenant: 'contoso', issuer: 'https://issuer.example', audience: 'sidestream' };
const problems = (limits: object) =>
  gatewaySchema
    .safeParse({ issuers: [issuer], limits })
    .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

test('what a dialer that comes back is sent at once fits into what may wait for it, and into its memory', () => {
  assert.deepEqual(problems({}), []);
  assert.deepEqual(problems({ eventsPerSeller: 32, behindBytes: 16_384 }), []);
  assert.match(
    problems({ behindBytes: 16_384 }).join(),
    /^limits\.behindBytes must be 512 for each of eventsPerSeller/,
  );
  assert.match(problems({ eventsPerSeller: 201 }).join(), /^limits\.eventsPerSeller /);
});
