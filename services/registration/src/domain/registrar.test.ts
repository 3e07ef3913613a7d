import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAuthority } from '@sidestream/pki';
import { World } from '../testing/world.js';
import { ProviderFailure } from './ports.js';

const authority = await createAuthority('Simulated CA');
const day = 86_400_000;
const hour = 3_600_000;

async function issued(commonName = 'sbc', notAfter = new Date('2027-11-26T00:00:00Z'), from = authority) {
  const { certificate, key } = await from.issue({ commonName, usages: 'client', notAfter });
  return { certificate, key };
}

const never = new AbortController().signal;
const throttled = (retryAfterMs?: number) =>
  new ProviderFailure('throttled', 'wait', { retryable: true, ...(retryAfterMs && { retryAfterMs }) });
const forbidden = () => new ProviderFailure('forbidden', 'grant consent', { retryable: false });

describe('what is registered when', () => {
  test('once, and not again while nothing changes', async () => {
    const world = new World(await issued());
    const registrar = world.registrar();
    for (let look = 0; look < 3; look += 1) assert.equal(await registrar.look(never), 60_000);
    assert.equal(world.bodies.length, 1);
    assert.deepEqual(world.events, ['applied registered']);
    assert.equal(world.last?.state, 'applied');
  });

  test('not by another instance either, nor after a restart', async () => {
    const world = new World(await issued());
    await world.registrar('one').look(never);
    await world.registrar('two').look(never);
    assert.equal(world.bodies.length, 1);
  });

  test('the intent is there before the request, and gone with its outcome', async () => {
    const world = new World(await issued());
    let during: string | undefined;
    world.onRequest = () => {
      during = world.stored.record.intent?.by;
    };
    await world.registrar('one').look(never);
    assert.deepEqual([during, world.stored.record.intent], ['one', undefined]);
  });

  test('already registered (409) is success, said as such, and no loop', async () => {
    const world = new World(await issued());
    world.answers.push('already-registered');
    const registrar = world.registrar();
    await registrar.look(never);
    await registrar.look(never);
    assert.deepEqual([world.bodies.length, world.events], [1, ['applied already-registered']]);
  });

  test('an instance whose record is not the newest sends nothing', async () => {
    const world = new World(await issued());
    const registrar = world.registrar('one');
    const stale = world.stored;
    await world.registrar('two').look(never);
    const fresh = world.stored;
    // It reads what is old by now, as a replica that lags would tell it.
    world.stored = stale;
    world.onLoad = () => {
      world.stored = fresh;
    };
    await assert.rejects(registrar.look(never), /wrong last sequence/);
    assert.equal(world.bodies.length, 1);
  });
});

describe('what goes wrong around a registration', () => {
  test('an instance that was told to stand down during its look sends nothing any more', async () => {
    const world = new World(await issued());
    const leading = new AbortController();
    world.onLoad = () => leading.abort(new Error('the lease is lost'));
    await assert.rejects(world.registrar().look(leading.signal), /the lease is lost/);
    assert.equal(world.bodies.length, 0);
    world.onLoad = () => undefined;
    await world.registrar('two').look(never);
    assert.equal(world.bodies.length, 1);
  });

  test('the time of a retry that a wrong clock wrote is not waited for', async () => {
    const world = new World(await issued());
    world.answers.push(throttled());
    const now = world.now;
    world.now = new Date(now.getTime() + 100 * day);
    await world.registrar().look(never);
    world.now = now;
    await world.registrar('two').look(never);
    assert.equal(world.bodies.length, 2);
  });
});

describe('a changed certificate', () => {
  test('of other names is registered, and the record names it', async () => {
    const world = new World(await issued('old'));
    const registrar = world.registrar();
    await registrar.look(never);
    const before = world.stored.record.accepted;
    world.material = await issued('new');
    registrar.changed();
    await registrar.look(never);
    assert.match(world.bodies[1] ?? '', /CN=new/);
    assert.equal(before?.subject, 'CN=old');
    assert.equal(world.stored.record.accepted?.subject, 'CN=new');
  });

  test('of the same names is not registered again', async () => {
    const world = new World(await issued());
    const registrar = world.registrar();
    await registrar.look(never);
    world.material = await issued();
    await registrar.look(never);
    assert.equal(world.bodies.length, 1);
  });

  test('whose names are written the same is not registered again, and yet its names are noted', async () => {
    const template = '{"AuthenticationDetails":{"CertificateSubjectName":"sbc"}}';
    const world = new World({ ...(await issued('sbc')), template });
    const registrar = world.registrar();
    await registrar.look(never);
    world.material = { ...(await issued('sbc.other')), template };
    await registrar.look(never);
    assert.equal(world.bodies.length, 1);
    assert.equal(world.stored.record.accepted?.subject, 'CN=sbc.other');
  });

  test('that does not fit its key is said at the second look only, since files change one after the other', async () => {
    const world = new World(await issued('old'));
    const registrar = world.registrar();
    await registrar.look(never);
    const fresh = await issued('new');
    world.material = { ...world.material, certificate: fresh.certificate };
    assert.equal(await registrar.look(never), 2_000);
    assert.equal(world.events.length, 1);
    await registrar.look(never);
    await registrar.look(never);
    assert.deepEqual(world.events.slice(1), ['drifted the private key does not belong to the certificate']);
    assert.equal(world.last?.state, 'drifted');
    world.material = fresh;
    await registrar.look(never);
    assert.equal(world.last?.state, 'applied');
  });
});

describe('a failure', () => {
  test('that may pass is retried later and later, at the earliest when the provider says', async () => {
    const world = new World(await issued());
    world.answers.push(throttled(), throttled(), throttled(30_000), 'registered');
    const registrar = world.registrar();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      waits.push(await registrar.look(never));
      assert.equal(await registrar.look(never), waits.at(-1), 'it was tried before its time');
      world.now = new Date(world.now.getTime() + (waits.at(-1) ?? 0));
    }
    assert.deepEqual(waits, [5_000, 10_000, 30_000]);
    await registrar.look(never);
    assert.deepEqual([world.bodies.length, world.last?.state], [4, 'applied']);
    assert.deepEqual(world.events, ['drifted wait', 'applied registered']);
  });

  test('that needs somebody is not looped on: again after an hour, though not in another instance meanwhile', async () => {
    const world = new World(await issued());
    world.answers.push(forbidden(), forbidden());
    await world.registrar('one').look(never);
    assert.equal(await world.registrar('two').look(never), 60_000);
    assert.equal(world.last?.state, 'failed');
    assert.equal(world.bodies.length, 1);
    world.now = new Date(world.now.getTime() + hour);
    await world.registrar('two').look(never);
    assert.equal(world.bodies.length, 2);
    assert.deepEqual(world.events, ['drifted grant consent'], 'the same failure is said once');
  });

  test('is retried at once after a change of a file, and after one of what is to be registered', async () => {
    const world = new World(await issued());
    world.answers.push(forbidden(), forbidden());
    const registrar = world.registrar();
    await registrar.look(never);
    registrar.changed();
    await registrar.look(never);
    assert.equal(world.bodies.length, 2);
    await world.registrar('one', { displayName: 'Other' }).look(never);
    assert.equal(world.bodies.length, 3);
  });

  test('of our own making is no loop either', async () => {
    const world = new World(await issued());
    world.onRequest = () => {
      throw new TypeError('a fault');
    };
    const registrar = world.registrar();
    assert.equal(await registrar.look(never), 5_000);
    assert.equal(await registrar.look(never), 5_000);
    assert.deepEqual([world.bodies.length, world.stored.record.failure?.code], [1, 'internal']);
  });

  test('without a verdict leaves the intent, and the next attempt says so', async () => {
    const world = new World(await issued());
    world.answers.push('hang');
    const end = new AbortController();
    world.onRequest = () => end.abort(new Error('the lease is lost'));
    await assert.rejects(world.registrar('one').look(end.signal), /the lease is lost/);
    assert.equal(world.stored.record.intent?.by, 'one');
    world.onRequest = () => undefined;
    await world.registrar('two').look(never);
    assert.equal(world.bodies.length, 2);
    assert.equal(world.stored.record.intent, undefined);
  });
});

describe('apply', () => {
  test('registers what differs, leaves what does not, and registers it by force', async () => {
    const world = new World(await issued());
    const registrar = world.registrar();
    assert.equal((await registrar.apply(false, never)).outcome, 'registered');
    assert.equal((await registrar.apply(false, never)).outcome, 'unchanged');
    world.answers.push('already-registered');
    assert.equal((await registrar.apply(true, never)).outcome, 'already-registered');
    assert.equal(world.bodies.length, 2);
  });

  test('does not wait for a retry, and tells a refusal from an outage', async () => {
    const world = new World(await issued());
    world.answers.push(forbidden(), throttled());
    const registrar = world.registrar();
    await assert.rejects(registrar.apply(false, never), { code: 'provider-refused', message: 'grant consent' });
    await assert.rejects(registrar.apply(false, never), { code: 'provider-unavailable' });
    assert.equal((await registrar.apply(false, never)).outcome, 'registered');
  });

  test('refuses what can not be registered, even by force', async () => {
    const world = new World(await issued('sbc', new Date('2026-11-25T00:00:00Z')));
    await assert.rejects(world.registrar().apply(true, never), { code: 'bad-request', message: /expired/ });
    assert.equal(world.bodies.length, 0);
  });

  test('two at once send one request', async () => {
    const world = new World(await issued());
    const registrar = world.registrar();
    const both = await Promise.all([registrar.apply(false, never), registrar.apply(false, never)]);
    assert.deepEqual(
      both.map(({ outcome }) => outcome),
      ['registered', 'unchanged'],
    );
  });
});

test("the certificate's end is announced once at each threshold, by whichever instance, and anew for a new certificate", async () => {
  const end = new Date('2027-11-26T00:00:00Z');
  const world = new World(await issued('sbc', end));
  const at = async (daysLeft: number, instance: string) => {
    world.now = new Date(end.getTime() - daysLeft * day);
    await world.registrar(instance).look(never);
  };
  for (const days of [31, 30, 29, 8, 6.9, 3, 0.9, -1, -2]) {
    await at(days, 'one');
    await at(days, 'two');
  }
  const told = () => world.events.filter((event) => event.startsWith('expiring'));
  assert.deepEqual(told(), ['expiring 30', 'expiring 7', 'expiring 1', 'expiring 0']);
  world.material = await issued('sbc', new Date(end.getTime() + day * 5));
  await at(0, 'one');
  assert.deepEqual(told().slice(4), ['expiring 7']);
});
