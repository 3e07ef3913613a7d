import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { readTarget, TrunkTable } from '@sidestream/routing';
import { trunkSchema } from '@sidestream/service';
import { silent } from '../testing/fake-world.js';
import type { OutgoingRegister, RegisterAnswer } from './ports.js';
import { type RegistrationState, TrunkRegistration } from './trunk-registration.js';
import { TrunkRegistrations } from './trunk-registrations.js';

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
}

const register = { registrar: ['sip:r1.example', 'sip:r2.example'], user: 'alice', expires: '10m' };
const config = {
  carrier: trunkSchema.parse({ tenant: 'contoso', side: 'customer', routes: [{ to: 'carrier' }], register }),
  another: trunkSchema.parse({
    tenant: 'contoso',
    side: 'customer',
    routes: [{ to: 'carrier' }],
    register: { ...register, user: 'bob' },
  }),
};
const trunks = new TrunkTable(config);
const running: { stop(): Promise<void> }[] = [];
afterEach(() => Promise.all(running.splice(0).map((one) => one.stop())));

function answer({ status, headers = {} }: Answer, registrar: string): RegisterAnswer {
  const source = registrar.includes('r1') ? '192.0.2.1' : '192.0.2.2';
  return { status, reason: 'as told', source, header: (name) => headers[name] };
}

/** @param script what the registrars say, one after the other; the last answer stays. */
function registration(...script: (Answer | Error)[]) {
  const sent: OutgoingRegister[] = [];
  const cseqs: number[] = [];
  const states: RegistrationState[] = [];
  const trunk = trunks.find('carrier');
  assert.ok(trunk);
  const made = new TrunkRegistration({
    trunk,
    registrars: register.registrar.map((uri, priority) => readTarget({ uri, priority, weight: 1 }, 'udp')),
    user: 'alice',
    domain: 'carrier.example',
    expiresSeconds: 600,
    trunking: {
      ownAddress: () => '198.51.100.1:5060',
      register: async (one) => {
        sent.push(one);
        cseqs.push(one.nextCseq());
        const said = script.length > 1 ? script.shift() : script[0];
        if (said === undefined || said instanceof Error) throw said ?? new Error('no script');
        return answer(said, one.registrar);
      },
    },
    log: silent,
    onState: (state) => states.push(state),
    backOffMs: 1,
  });
  running.push(made);
  made.start();
  return { made, sent, cseqs, states };
}

const until = (holds: () => boolean) => eventually(holds, 'it has come to that', 5_000);
const soon = { contact: '<sip:bob@elsewhere>;expires=9, "us" <sip:alice@198.51.100.1:5060>;expires=1' };

test('RFC 3261 §10.2: the contact is registered under the address, for the time that is asked for', async () => {
  const { sent, states } = registration({ status: 200 });
  await until(() => states.length === 1);
  const { registrar, address, contact, expiresSeconds } = sent[0] ?? assert.fail();
  assert.deepEqual([registrar, address], ['sip:r1.example', 'sip:alice@carrier.example']);
  assert.deepEqual([contact, expiresSeconds], ['sip:alice@198.51.100.1:5060', 600]);
  const [{ registered, registrar: source } = assert.fail()] = states;
  assert.deepEqual([registered, source], [true, '192.0.2.1']);
});

test('RFC 3261 §10.2.4: it is renewed before the registrar forgets it, under the same Call-ID with a higher CSeq', async () => {
  const begin = performance.now();
  const { sent, cseqs } = registration({ status: 200, headers: soon });
  await until(() => sent.length === 2);
  assert.ok(performance.now() - begin < 1_000, 'the contact had one second');
  assert.equal(sent[0]?.callId, sent[1]?.callId);
  assert.deepEqual(cseqs, [1, 2]);
});

test('RFC 3261 §10.2.8: 423 is answered with the time that the registrar wants', async () => {
  const { sent, states } = registration({ status: 423, headers: { 'min-expires': '1800' } }, { status: 200 });
  await until(() => states.length === 1);
  assert.deepEqual(
    sent.map(({ expiresSeconds }) => expiresSeconds),
    [600, 1_800],
  );
  assert.equal(states[0]?.registered, true);
});

test('a 423 that wants no more than was asked for, or that comes twice, is a failure', async () => {
  const { states } = registration({ status: 423, headers: { 'min-expires': '60' } });
  await until(() => states.length > 0);
  assert.equal(states[0]?.registered, false);
  const twice = registration({ status: 423, headers: { 'min-expires': '1800' } });
  await until(() => twice.states.length > 0);
  assert.equal(twice.states[0]?.registered, false);
});

for (const [what, failure] of [
  ['answers 503', { status: 503 }],
  ['is away', new Error('not sent')],
] as const) {
  test(`the next registrar is asked when one ${what}, and stays`, async () => {
    const { sent, states } = registration(failure, { status: 200, headers: soon });
    await until(() => sent.length === 3);
    assert.deepEqual(
      sent.map(({ registrar }) => registrar),
      ['sip:r1.example', 'sip:r2.example', 'sip:r2.example'],
    );
    assert.equal(states[0]?.registrar, '192.0.2.2');
  });
}

test('all are asked again after a pause, which Retry-After makes longer, and at once when the way is there again', async () => {
  const { made, sent, states } = registration({ status: 503, headers: { 'retry-after': '3600' } });
  await until(() => states.length === 1);
  assert.match(states[0]?.detail ?? '', /r2\.example: 503/);
  assert.equal(sent.length, 2);
  // The pause begins in the turn after the state was told.
  await until(() => {
    made.wake();
    return sent.length === 4;
  });
});

test('RFC 3261 §10.2.2: the contact is taken back at the end; what was never registered is not', async () => {
  const { made, sent, states } = registration({ status: 200 });
  await until(() => states.length === 1);
  await made.stop();
  assert.deepEqual(
    sent.map(({ expiresSeconds }) => expiresSeconds),
    [600, 0],
  );
  assert.equal(states.at(-1)?.registered, false);
  const failed = registration({ status: 403 });
  await until(() => failed.states.length > 0);
  const before = failed.sent.length;
  await failed.made.stop();
  assert.ok(failed.sent.slice(before).every(({ expiresSeconds }) => expiresSeconds > 0));
});

test('calls from the registrar are its trunk’s; the contact tells two trunks of one registrar apart', async () => {
  const trunking = {
    ownAddress: () => '198.51.100.1:5060',
    register: async ({ registrar }: OutgoingRegister) => answer({ status: 200 }, registrar),
  };
  let known = 0;
  const onState = ({ registered }: RegistrationState) => {
    known += registered ? 1 : 0;
  };
  const all = new TrunkRegistrations({ config, trunks, trunking, log: silent, onState });
  assert.equal(all.ofSource('192.0.2.1'), undefined);
  running.push(all);
  all.start();
  await until(() => known === 2);
  assert.equal(all.ofContact('192.0.2.1', 'bob')?.name, 'another');
  assert.equal(all.ofContact('192.0.2.1', 'alice')?.name, 'carrier');
  assert.equal(all.ofContact('192.0.2.9', 'alice'), undefined);
  assert.equal(all.ofContact('192.0.2.1', '+4930'), undefined);
  assert.equal(all.ofSource('192.0.2.1')?.name, 'carrier');
  assert.equal(all.ofSource('192.0.2.9'), undefined);
});
