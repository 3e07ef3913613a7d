import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DestinationRules } from './destination-rules.js';

for (const [what, rules, called, verdict] of [
  ['of two prefixes the longer counts, to allow', { allow: ['+4930'], deny: ['+49'] }, '+4930901820', undefined],
  ['of two prefixes the longer counts, to deny', { allow: ['+49'], deny: ['+49900'] }, '+499001234', /\+49900 may not/],
  ['a number is denied where others are allowed by name', { allow: ['+49'], deny: [] }, '+43123456', /not among/],
  ['a number is allowed where others are denied by name', { allow: [], deny: ['+882'] }, '+43123456', undefined],
  ['00 is the plus', { allow: [], deny: ['+882'] }, '0088213300655', /\+882 may not/],
  ['separators hide nothing', { allow: [], deny: ['+882'] }, '+8-8-2 13300655', /\+882 may not/],
  ['parameters of the user part hide nothing', { allow: [], deny: ['+882'] }, '+88213300655;npdi', /\+882 may not/],
  ['what is no E.164 number could lead anywhere', { allow: [], deny: ['+882'] }, '01188213300655', /no E\.164/],
  ['a name is no number', { allow: ['+1'], deny: [] }, 'ada', /no E\.164/],
  ['nobody is no number', { allow: ['+1'], deny: [] }, '', /no E\.164/],
  ['a prefix longer than the number', { allow: [], deny: ['+491234567'] }, '+49123', undefined],
] as const) {
  test(what, () => {
    const problem = new DestinationRules({ allow: [...rules.allow], deny: [...rules.deny] }).problem(called);
    if (verdict === undefined) assert.equal(problem, undefined);
    else assert.match(problem ?? '', verdict);
  });
}
