import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SipRequest } from '@sidestream/sip';
import { behaviourHelp, behaviourNames, parseBehaviour } from './behaviour-names.js';

const invite = (initial: boolean) => ({
  initial,
  signal: new AbortController().signal,
  request: new SipRequest({ method: 'INVITE', uri: 'sip:SRS@recorder.test' }),
});

test('behaviours are read from names for command lines, the first decision counts', async () => {
  const { beforeAnswer } = parseBehaviour('inactive,reject=486,reject=503');
  assert.deepEqual(await beforeAnswer?.(invite(true)), { status: 486, headers: [] });
  assert.equal(await beforeAnswer?.(invite(false)), undefined);
  assert.equal(parseBehaviour('network-delay=20,network-delay=70,instant').networkDelayMs, 70);
  assert.deepEqual(parseBehaviour('refresh').sessionTimer, { seconds: 180, refresher: 'uas' });
});

test('every name stands alone and has a line of help; what is unknown is named', () => {
  for (const name of behaviourNames) {
    assert.doesNotThrow(() => parseBehaviour(name), name);
    assert.match(behaviourHelp, new RegExp(`^  ${name}(=[A-Z]+)? `, 'm'));
  }
  for (const wrong of ['toString', 'reject=x', 'reject=200', 'plain', 'silent=1', 'delay=-1', 'bye-after=']) {
    assert.throws(() => parseBehaviour(wrong), { name: 'RangeError', message: new RegExp(JSON.stringify(wrong)) });
  }
});
