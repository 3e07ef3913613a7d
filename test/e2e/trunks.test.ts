// Trunks as carriers and PBXs need them, on real parts: failover between targets, number plans, what is told of callers.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { listedSeller, sellerHost } from '@sidestream/cli';
import { eventually } from '@sidestream/peers';
import { parseHostPort } from '@sidestream/service';
import { type PartyCall, PartySimulator } from '@sidestream/simulators';
import { Stage } from './stage.js';

/** A place on the seller's host that takes every datagram and answers none: its port, and the Call-IDs of the INVITEs that came. */
async function silence(
  t: TestContext,
): Promise<{ readonly port: number; readonly calls: () => Set<string | undefined> }> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const heard: string[] = [];
  socket.on('message', (message) => heard.push(message.toString()));
  socket.bind(0, sellerHost);
  await once(socket, 'listening');
  const invites = () => heard.filter((message) => message.startsWith('INVITE '));
  const callId = /^Call-ID: *(.*)\r$/im;
  return { port: socket.address().port, calls: () => new Set(invites().map((invite) => callId.exec(invite)?.[1])) };
}

test('RFC 3263 §4.3: a call goes past a silent target and one that refuses to the one that answers, and is recorded', async (t) => {
  const dead = await silence(t);
  const listen = { protocol: 'udp', host: sellerHost } as const;
  const full = await PartySimulator.start({
    name: 'full',
    uri: `sip:full@${sellerHost}`,
    listen,
    incoming: { ringMs: 0, rejectWith: 503 },
  });
  t.after(() => full.close());
  const stage = await Stage.start(t, {
    configure: ({ trunks }) => {
      const [answers = ''] = trunks['pbx']?.targets ?? [];
      Object.assign(trunks['pbx'] ?? {}, {
        targets: [
          { uri: answers, priority: 30 },
          { uri: `sip:${sellerHost}:${full.address.port}`, priority: 20 },
          { uri: `sip:${sellerHost}:${dead.port}`, priority: 10 },
        ],
        failover: { timeout: '1s' },
      });
    },
  });
  if (!stage) return;
  let refused = 0;
  full.on('call', () => {
    refused += 1;
  });
  const call = await stage.inbound();
  await stage.talk(call, 25);
  assert.equal(refused, 1);
  assert.equal(dead.calls().size, 1);
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await call.customer.hangUp();
  await eventually(() => stage.laboratory.bodies('recordingEnded').length === 1, 'the recording has ended');
  // What did not answer is tried last now: the next call loses no time with it, nor with the one that was full.
  const again = await stage.inbound();
  assert.deepEqual([dead.calls().size, refused], [1, 1]);
  await again.customer.hangUp();
  await stage.nothingIsLeft();
});

test('RFC 3261 §8.1.3.4: a target that answers 302 sends the call to the number that it names, along our routes, and it is recorded first where it must be', async (t) => {
  const moved = await PartySimulator.start({
    name: 'moved',
    uri: `sip:moved@${sellerHost}`,
    listen: { protocol: 'udp', host: sellerHost },
    incoming: { ringMs: 0, rejectWith: 302, redirectTo: `<sip:${listedSeller.number}@attacker.invalid>` },
  });
  t.after(() => moved.close());
  const number = '+493012345077';
  const stage = await Stage.start(t, {
    configure: ({ tenants, trunks }) => {
      Object.assign(tenants['contoso']?.recording ?? {}, { mode: 'required' });
      const targets = [`sip:${sellerHost}:${moved.address.port}`];
      trunks['desk'] = { tenant: 'contoso', side: 'seller', targets, routes: [{ to: 'carrier' }] };
      const routes = [
        { called: { exact: number }, to: 'desk' },
        { called: { exact: listedSeller.number }, to: 'pbx' },
      ];
      Object.assign(trunks['carrier'] ?? {}, { routes });
    },
  });
  if (!stage) return;
  const arriving = once(stage.seller, 'call') as Promise<[PartyCall]>;
  const customer = await stage.customer.call(stage.uri(number));
  await customer.answered;
  const [seller] = await arriving;
  assert.match(seller.invite?.headers.get('Diversion') ?? '', /^<sip:\+493012345077@[\d.:]+>;reason=unknown$/);
  // Who was dialled is not listed, who has come is: decided on anew, and recorded.
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await eventually(() => stage.laboratory.bodies('callTransferred').length === 1, 'who has come is told');
  assert.equal(stage.laboratory.bodies('callTransferred')[0]?.decision?.reason, 'listed');
  const told = stage.laboratory.events.map(({ body }) => body?.$case);
  assert.ok(told.indexOf('recordingStarted') < told.indexOf('callAnswered'), told.join(', '));
  await customer.hangUp();
  await stage.nothingIsLeft();
});

test('OPTIONS find a dead target before a call does, and the living one stays up', async (t) => {
  const dead = await silence(t);
  const stage = await Stage.start(t, {
    configure: ({ trunks }) => {
      const { targets = [] } = trunks['pbx'] ?? {};
      const keepalive = { interval: '1s', failures: 1 };
      Object.assign(trunks['pbx'] ?? {}, { targets: [`sip:${sellerHost}:${dead.port}`, ...targets], keepalive });
    },
  });
  if (!stage) return;
  const up = (labels: string) => stage.laboratory.metric('signalling', 'sidestream_trunk_target_up', labels);
  await eventually(async () => (await up(`target="sip:${sellerHost}:${dead.port};`)) === 0, 'the dead target is down');
  assert.equal(await up(`target="sip:${sellerHost}:${stage.seller.address.port};`), 1);
  const call = await stage.inbound();
  assert.equal(dead.calls().size, 0);
  await call.customer.hangUp();
});

test('a national number is known to the policy, routed by its E.164 form, and written as the PBX wants it', async (t) => {
  const national = `0${listedSeller.number.slice('+49'.length)}`;
  const stage = await Stage.start(t, {
    configure: ({ trunks }) => {
      Object.assign(trunks['carrier'] ?? {}, {
        numbers: { defaultCountry: 'DE', incoming: { strip: '9' } },
        routes: [{ called: { prefix: '+4930' }, to: 'pbx' }],
      });
      Object.assign(trunks['pbx'] ?? {}, { numbers: { outgoing: { format: 'digits', prefix: '77' } } });
    },
  });
  if (!stage) return;
  const { customer, seller } = await stage.inbound(`9${national}`);
  assert.match(seller.invite?.uri ?? '', new RegExp(`^sip:77${listedSeller.number.slice(1)}@`));
  assert.match(seller.invite?.from.uri ?? '', /^sip:4915112345678@/);
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  await customer.hangUp();
  const [started] = stage.laboratory.bodies('callStarted');
  assert.deepEqual([started?.seller, started?.decision?.reason], [listedSeller.id, 'listed']);
  // What the recorder hears is the number, not how it was dialled.
  const xml = stage.laboratory.recorder.sessions[0]?.metadata[0]?.xml ?? '';
  assert.match(xml, new RegExp(`aor="sip:\\${listedSeller.number}@`));
  assert.doesNotMatch(xml, new RegExp(national));
  // Nobody's route: the caller hears so, and which trunk it is.
  const lost = await stage.customer.call(stage.uri('+4420'));
  await assert.rejects(lost.answered, /404/);
});

test('RFC 5031: a call to the emergency service reaches a trunk that knows it by its number, whatever the routes say', async (t) => {
  const stage = await Stage.start(t, {
    configure: ({ trunks }) => {
      Object.assign(trunks['carrier'] ?? {}, { routes: [{ called: { prefix: '+49' }, to: 'pbx' }] });
      Object.assign(trunks['pbx'] ?? {}, { numbers: { outgoing: { format: 'e164', prefix: '0' } } });
    },
  });
  if (!stage) return;
  const { host, port } = parseHostPort(stage.laboratory.sipAddress('udp'));
  const target = { protocol: 'udp', host, port, local: stage.customer.address } as const;
  const arriving = once(stage.seller, 'call');
  const call = await stage.customer.call('urn:service:sos.fire', { target });
  await call.answered;
  const [arrived] = await arriving;
  assert.match(arrived.invite.uri, /^sip:112@/);
  await call.hangUp();
});

test('an untrusted PBX is told who calls, what is configured to pass, and nothing that the caller wants kept', async (t) => {
  const stage = await Stage.start(t, {
    configure: ({ trunks }) => {
      Object.assign(trunks['pbx'] ?? {}, { trusted: false, passHeaders: ['Identity', 'X-Class'] });
    },
  });
  if (!stage) return;
  const called = async (headers: [string, string][]): Promise<PartyCall> => {
    const arriving = once(stage.seller, 'call');
    const call = await stage.customer.call(stage.uri(listedSeller.number), { headers });
    await call.answered;
    await call.hangUp();
    const [arrived] = await arriving;
    return arrived;
  };
  const identity = 'eyJhbGciOiJFUzI1NiJ9..x;info=<https://cert.example/a.crt>;alg=ES256;ppt=shaken';
  const asserted: [string, string] = ['P-Asserted-Identity', '<sip:+4930555@carrier.example>'];
  const open = await called([asserted, ['Identity', identity], ['X-Class', 'gold'], ['X-Other', 'inside']]);
  const header = (call: PartyCall, name: string) => call.invite?.headers.get(name);
  assert.match(header(open, 'P-Asserted-Identity') ?? '', /^<sip:\+4930555@127\.0\.0\.1:\d+>$/);
  assert.deepEqual(
    [header(open, 'Identity'), header(open, 'X-Class'), header(open, 'X-Other')],
    [identity, 'gold', undefined],
  );
  const kept = await called([asserted, ['Privacy', 'id']]);
  assert.equal(header(kept, 'P-Asserted-Identity'), undefined);
  assert.match(kept.invite?.from.uri ?? '', /anonymous\.invalid/);
});
