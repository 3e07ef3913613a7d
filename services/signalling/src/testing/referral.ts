// Calls that are up, and references that come within them.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { IncomingReferral } from '../domain/ports.js';
import { FakeWorld } from './fake-world.js';

/** A REFER with this Refer-To, with what its sender hears. */
export function refer(referTo: string) {
  const heard: (string | number)[] = [];
  const changed = new EventEmitter();
  const say = (what: string | number) => {
    heard.push(what);
    changed.emit('heard');
  };
  const referral: IncomingReferral = {
    header: (name) => (name === 'refer-to' ? referTo : undefined),
    accept: () => say('accepted'),
    refuse: (status) => say(`refused ${status}`),
    notify: async (status) => say(status),
  };
  const until = async (what: string | number) => {
    while (!heard.includes(what)) await once(changed, 'heard');
  };
  return { referral, heard, until };
}

/** A recorded call that is up. */
export async function talking(recorders = ['sip:r1'], world = new FakeWorld()) {
  const call = world.call(recorders);
  call.start();
  await world.until(() => world.count(recorders.length > 0 ? 'recordingStarted' : 'callAnswered') > 0);
  const { near, far } = world;
  assert.ok(near && far);
  return { world, call, near, far };
}
