// Registration through a real edge at a registrar that others have written: Kamailio, which asks for credentials with SHA-256, keeps
// the contact and sends calls to it.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { eventually, startKamailio } from '@sidestream/peers';
import { TrunkTable } from '@sidestream/routing';
import { trunkSchema } from '@sidestream/service';
import { DigestLogin, SipError, Transports, UserAgent } from '@sidestream/sip';
import type { IncomingInvite } from '../domain/ports.js';
import type { RegistrationState } from '../domain/trunk-registration.js';
import { TrunkRegistrations } from '../domain/trunk-registrations.js';
import { silent } from '../testing/fake-world.js';
import { TestEdge } from '../testing/test-edge.js';
import { DrachtioTrunking } from './drachtio-trunking.js';

const script = `
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("auth", "algorithm", "SHA-256")
modparam("auth", "secret", "of the test")
modparam("registrar", "min_expires", 90)
route[WORK] {
  if (method == "REGISTER") {
    if (!pv_www_authenticate("carrier.example", "opensesame", "0")) { www_challenge("carrier.example", "1"); exit; }
    if (!save("location")) { sl_reply_error(); }
    exit;
  }
  if (!has_totag() && method == "INVITE") {
    if (!lookup("location")) { sl_send_reply("404", "Not Registered"); exit; }
  }
  t_relay();
  exit;
}`;

test('RFC 3261 §10: Kamailio keeps our contact, sends calls to it, and forgets it when we stop', async (t) => {
  const found = await startKamailio({ script: `loadmodule "siputils.so"\n${script}` });
  if (found.peer === undefined) return t.skip(found.reason);
  const { peer } = found;
  const registrar = `sip:127.0.0.1:${peer.port}`;
  const register = { registrar, user: 'alice', domain: '127.0.0.1', expires: '2m' };
  const carrier = { tenant: 'contoso', side: 'customer', routes: [{ to: 'far' }], register };
  const far = { tenant: 'contoso', side: 'seller', targets: ['sip:127.0.0.1:9'], routes: [{ to: 'far' }] };
  const edge = await TestEdge.start({ carrier, far });
  const bus = new EventEmitter();
  const states: RegistrationState[] = [];
  const trunking = new DrachtioTrunking({
    edge: edge.admin,
    secret: edge.secret,
    clock: () => performance.now(),
    log: silent,
    loginOf: () => new DigestLogin({ username: 'trunk', password: 'opensesame', realm: 'carrier.example' }),
    onInvite: (invite) => void bus.emit('invite', invite),
    onOptions: () => ({ status: 200, headers: {} }),
    onEdge: (up) => up && bus.emit('up'),
  });
  const config = { carrier: trunkSchema.parse(carrier) };
  const registrations = new TrunkRegistrations({
    config,
    trunks: new TrunkTable(config),
    trunking,
    log: silent,
    onState: (state) => states.push(state),
  });
  const transports = new Transports();
  const caller = new UserAgent({ transports });
  try {
    const up = once(bus, 'up');
    trunking.connect();
    await up;
    registrations.start();
    await eventually(() => states.at(-1)?.registered === true, 'it is registered');
    assert.match(states.at(-1)?.detail ?? '', /^for 120 s at 127\.0\.0\.1/);

    const local = await transports.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
    const call = () =>
      caller.invite({
        target: { protocol: 'udp', host: '127.0.0.1', port: peer.port, local },
        uri: `sip:alice@127.0.0.1:${peer.port}`,
        from: '<sip:+4930@carrier.example>',
        contact: `<sip:caller@127.0.0.1:${local.port}>`,
        body: 'v=0\r\noffer',
        contentType: 'application/sdp',
      });
    const arrived = once(bus, 'invite', { signal: AbortSignal.timeout(10_000) });
    const refused = assert.rejects(call(), (error) => error instanceof SipError && error.status === 486);
    const [invite] = (await arrived) as [IncomingInvite];
    assert.equal(invite.requestUri.replace(/@.*/, ''), 'sip:alice');
    assert.equal(registrations.ofContact(invite.source.address, 'alice')?.name, 'carrier');
    await invite.refuse(486);
    await refused;

    await registrations.stop();
    await assert.rejects(call(), (error) => error instanceof SipError && error.status === 404);
  } finally {
    trunking.close();
    await caller.close();
    await transports.close();
    await edge.stop();
    await peer.stop();
  }
});
