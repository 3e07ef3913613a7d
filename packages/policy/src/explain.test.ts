import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPolicy } from './build-policy.js';
import { explain, type Question, questionProblem } from './explain.js';
import { parseIdentities } from './identities.js';
import { openSnapshot, type PolicySnapshot } from './policy-snapshot.js';

const at = new Date('2026-01-02T00:00:00Z');
const users = [
  { id: 'u-1', name: 'Ada', numbers: ['+49 30 901820'], addresses: ['sip:Ada@PBX.example'] },
  { id: 'u-2', numbers: [], addresses: [] },
];
const identities = parseIdentities('user,numbers,addresses\nu-2,+4930*|+493055*,7*@pbx.example\n', 'csv', {
  onError: 'refuse',
});

function snapshot(freshness?: PolicySnapshot['freshness']): PolicySnapshot {
  const { bytes } = buildPolicy(users, identities);
  return openSnapshot(bytes, freshness === undefined ? {} : { freshness });
}

function ask(party: string, more: Partial<Question> = {}, policy: PolicySnapshot | undefined = snapshot()) {
  const { matched, text, decision } = explain(policy, {
    ...{ tenant: 'contoso', party, other: '', at, recorders: ['eastus'], enabled: true },
    ...more,
  });
  return { matched, text: text.replace(policy?.revision ?? '-', 'R'), reason: decision.reason };
}

test('what of the policy matched is named as people write it', () => {
  assert.equal(ask('0049 30 90-18-20').matched, '+4930901820');
  assert.equal(ask('sip:ada@pbx.example:5060;transport=tcp').matched, 'ada@pbx.example');
  assert.equal(ask('tel:+4930123').matched, '+4930*');
  assert.equal(ask('+4930551').matched, '+493055*');
  assert.equal(ask('sip:711@pbx.example').matched, '7*@pbx.example');
  assert.equal(ask('+44123456').matched, '');
});

for (const [reason, given, text] of [
  ['listed', ask('+4930901820'), 'Recorded: +4930901820 names Ada (u-1) in policy R of contoso; recorders: eastus.'],
  [
    'not-listed',
    ask('+44123456', { other: '+44999999' }),
    'Not recorded: policy R of contoso with 2 users names neither +44123456 nor +44999999.',
  ],
  [
    'no-seller-identity',
    ask('901820'),
    'Not recorded: 901820 is neither an international number with + or 00 nor a SIP address, so that no policy can name it.',
  ],
  ['tenant-disabled', ask('+4930901820', { enabled: false }), 'Not recorded: recording is switched off for contoso.'],
  [
    'no-recorder',
    ask('+4930901820', { recorders: [] }),
    'Not recorded: +4930901820 names Ada (u-1) in policy R of contoso, but contoso has no recorder.',
  ],
  [
    'policy-stale',
    ask('+4930901820', {}, snapshot({ checkedAt: new Date(0), maxAgeMs: 1_000, rule: 'record-none' })),
    'Not recorded: policy R of contoso was last confirmed at 1970-01-01T00:00:00.000Z, longer ago than 1000 ms, so that the rule record-none decides.',
  ],
] as const) {
  test(`${reason} is said in one sentence`, () => assert.deepEqual([given.reason, given.text], [reason, text]));
}

test('listed-both and no-policy are said in one sentence', () => {
  const both = ask('+4930901820', { other: '+4930551' });
  assert.deepEqual([both.reason, both.matched], ['listed-both', '+4930901820']);
  const none = explain(undefined, {
    ...{ tenant: 'contoso', party: '+4930901820', other: '', at, recorders: ['eastus'], enabled: true },
  });
  assert.equal(none.text, 'Not recorded: contoso has no policy yet.');
});

test('the other party may be the one who is listed', () => {
  assert.equal(ask('+44123456', { other: '+4930901820' }).reason, 'listed');
});

test('a question needs a party, and takes no novel for one', () => {
  assert.equal(questionProblem({ party: '+4930901820', other: '' }), undefined);
  assert.match(questionProblem({ party: '', other: '+49' }) ?? '', /must not be empty/);
  assert.match(questionProblem({ party: '+49', other: '1'.repeat(257) }) ?? '', /256 characters/);
});
