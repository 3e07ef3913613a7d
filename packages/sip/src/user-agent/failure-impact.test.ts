import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endsSession } from './failure-impact.js';

// RFC 5057 §5.1, table 1.
const transactionOnly = [
  ...[
    400, 401, 402, 403, 406, 407, 412, 413, 414, 415, 417, 420, 421, 422, 423, 428, 429, 436, 437, 438, 486, 487, 488,
  ],
  ...[491, 493, 494, 499, 500, 503, 504, 505, 513, 580, 599, 600, 603, 606, 699],
];
const dialog = [404, 410, 416, 482, 483, 484, 485, 502, 604];

test('RFC 5057 §5.1: what fails the transaction only ends no session', () => {
  for (const status of [200, ...transactionOnly]) {
    for (const method of ['INVITE', 'UPDATE', 'INFO', 'OPTIONS']) assert.equal(endsSession(method, status), false);
  }
});

test('RFC 5057 §5.1: what destroys the dialog ends the session, whatever the request was', () => {
  for (const status of dialog) {
    for (const method of ['INVITE', 'UPDATE', 'INFO', 'OPTIONS']) assert.equal(endsSession(method, status), true);
  }
});

test('RFC 5057 §5.1, §5.3: 480, 481 and 408 end the session when the request belongs to it', () => {
  for (const status of [408, 480, 481]) {
    for (const method of ['INVITE', 'UPDATE', 'INFO']) assert.equal(endsSession(method, status), true);
    for (const method of ['OPTIONS', 'MESSAGE', 'NOTIFY']) assert.equal(endsSession(method, status), false);
  }
});

test('RFC 5057 §5.1 note 3: 405 and 501 end the session when it cannot be without the method', () => {
  for (const status of [405, 501]) {
    assert.equal(endsSession('INVITE', status), true);
    for (const method of ['UPDATE', 'INFO', 'OPTIONS']) assert.equal(endsSession(method, status), false);
  }
});
