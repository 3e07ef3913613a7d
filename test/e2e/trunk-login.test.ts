// A trunk that proves itself by digest alone and is registered at its carrier's Kamailio: a call that comes by the registered contact,
// from an address that nobody has configured, is let in once it has logged in, and is recorded.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startKamailio } from '@sidestream/peers';
import type { PartyCall } from '@sidestream/simulators';
import { DigestLogin, Headers, SipError, Transports, UserAgent } from '@sidestream/sip';
import { Stage } from './stage.js';

const script = `
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("auth", "secret", "of the test")
route[WORK] {
  if (method == "REGISTER") {
    if (!pv_www_authenticate("carrier.example", "opensesame", "0")) { www_challenge("carrier.example", "1"); exit; }
    if (!save("location")) { sl_reply_error(); }
    exit;
  }
  if (!has_totag() && method == "INVITE" && !lookup("location")) { sl_send_reply("404", "Not Registered"); exit; }
  t_relay();
  exit;
}`;

const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n';

test('a call by the contact that we registered is asked who it is, let in, and recorded', async (t) => {
  const found = await startKamailio({ script });
  if (found.peer === undefined) return t.skip(found.reason);
  const { peer } = found;
  t.after(() => peer.stop());
  const folder = await mkdtemp(join(tmpdir(), 'sidestream-login-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [file, password] of Object.entries({ ours: 'opensesame', theirs: 'wonderland' }))
    await writeFile(join(folder, file), `${password}\n`);
  const stage = await Stage.start(t, {
    configure: ({ trunks }) =>
      Object.assign(trunks['carrier'] ?? assert.fail(), {
        peers: [],
        digest: { realm: 'sbc', users: [{ username: 'caller', passwordFile: join(folder, 'theirs') }] },
        credentials: { username: 'trunk', passwordFile: join(folder, 'ours') },
        register: { registrar: `sip:127.0.0.1:${peer.port}`, user: '+493012345001' },
      }),
  });
  if (!stage) return;
  const transports = new Transports();
  const agent = new UserAgent({ transports });
  t.after(async () => {
    await agent.close();
    await transports.close();
  });
  const local = await transports.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
  const uri = `sip:+493012345001@127.0.0.1:${peer.port}`;
  const call = (headers?: Headers) =>
    agent.invite({
      target: { protocol: 'udp', host: '127.0.0.1', port: peer.port, local },
      uri,
      from: '<sip:+4915112345678@carrier.example>',
      contact: `<sip:caller@127.0.0.1:${local.port}>`,
      body: sdp,
      contentType: 'application/sdp',
      ...(headers === undefined ? {} : { headers }),
    });

  let refusal: SipError | undefined;
  await eventually(async () => {
    const outcome = await call().catch((error: unknown) => error);
    refusal = outcome instanceof SipError ? outcome : undefined;
    return refusal?.status === 401;
  }, 'Kamailio knows our contact');
  const login = new DigestLogin({ username: 'caller', password: 'wonderland' });
  const challenges = refusal?.response?.headers.all('WWW-Authenticate') ?? [];
  assert.equal(challenges.length, 2);
  assert.ok(login.attempt().take({ status: 401, get: () => challenges.join(',') }));

  const arriving = new Promise<PartyCall>((resolve) => stage.seller.once('call', resolve));
  const credentials = login.headers({ method: 'INVITE', uri, body: sdp });
  const { dialog } = await call(new Headers(Object.entries(credentials)));
  const seller = await arriving;
  await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
  assert.equal(stage.laboratory.bodies('callStarted')[0]?.trunk, 'carrier');
  await dialog.bye();
  await seller.ended;
  await stage.nothingIsLeft();
});
