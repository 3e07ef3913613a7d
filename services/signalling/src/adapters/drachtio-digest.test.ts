// Digest both ways through a real edge, against user agents and servers that others have written.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, freeUdpPort, runSipp, sippListens, sippMissing, startKamailio } from '@sidestream/peers';
import { EmergencyNumbers, TrunkTable } from '@sidestream/routing';
import { Secret, trunkSchema } from '@sidestream/service';
import { DigestLogin } from '@sidestream/sip';
import { CallerProof } from '../domain/caller-proof.js';
import type { IncomingInvite } from '../domain/ports.js';
import { silent } from '../testing/fake-world.js';
import { TestEdge } from '../testing/test-edge.js';
import { DrachtioTrunking } from './drachtio-trunking.js';

const scenario = (name: string) => fileURLToPath(new URL(`../../strangers/${name}.xml`, import.meta.url));
const patience = () => AbortSignal.timeout(20_000);
const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 41000 RTP/AVP 0\r\n';
const users = [{ username: 'alice', passwordFile: 'password' }];
const roaming = { tenant: 'contoso', side: 'customer', digest: { realm: 'sbc', users }, routes: [{ to: 'carrier' }] };
const carrier = { tenant: 'contoso', side: 'seller', targets: ['sip:127.0.0.1:9'], routes: [{ to: 'carrier' }] };

let edge: TestEdge;
let trunking: DrachtioTrunking;
const arrivals = new EventEmitter();
const told: string[] = [];
let password = 'opensesame';

const config = { roaming: trunkSchema.parse(roaming) };
const callers = new CallerProof({
  trunks: new TrunkTable(config, new EmergencyNumbers([])),
  config,
  logins: new Map([
    ['roaming', { realm: 'sbc', hashes: ['MD5'], users: new Map([['alice', new Secret('wonderland')]]) }],
  ]),
  registered: { ofContact: () => undefined, ofSource: () => undefined },
  clock: () => performance.now(),
  onProof: (trunk, outcome) => told.push(`${trunk}: ${outcome}`),
});

function decide(invite: IncomingInvite): void {
  const caller = callers.identify(invite);
  if ('trunk' in caller) arrivals.emit('invite', invite);
  else void invite.refuse(caller.refuse.status, caller.refuse.headers);
}

before(async () => {
  edge = await TestEdge.start({ roaming, carrier });
  trunking = new DrachtioTrunking({
    edge: edge.admin,
    secret: edge.secret,
    clock: () => performance.now(),
    log: silent,
    loginOf: () => new DigestLogin({ username: 'trunk', password }),
    onInvite: decide,
    onOptions: () => ({ status: 200, headers: {} }),
    onEdge: (up) => up && arrivals.emit('up'),
  });
  const up = once(arrivals, 'up');
  trunking.connect();
  await up;
});

after(async () => {
  trunking.close();
  await edge.stop();
});

function call(port: number) {
  const uri = `sip:+15550001@127.0.0.1:${port}`;
  const headers = { From: `<sip:+15559999@${trunking.ownAddress('udp')}>`, To: `<${uri}>`, 'Max-Forwards': '69' };
  const outgoing = {
    trunk: 'carrier',
    uri,
    protocol: 'udp',
    headers,
    sdp,
    onSent: () => {},
    onProgress: () => {},
  } as const;
  return trunking.invite(outgoing, patience());
}

describe('sipp', { skip: sippMissing() ?? false }, () => {
  test('calls and logs in', async () => {
    told.length = 0;
    const arrived = once(arrivals, 'invite', { signal: patience() });
    const port = String(await freeUdpPort());
    const args = ['-sf', scenario('uac-login'), '-m', '1', '-i', '127.0.0.1', '-p', port];
    const running = runSipp([edge.sip, ...args, '-au', 'alice', '-ap', 'wonderland'], patience());
    const [invite] = (await arrived) as [IncomingInvite];
    const leg = await invite.accept(sdp, 'carrier');
    const over = new Promise<void>((resolve) => {
      leg.listen({
        offer: (offer) => offer.refuse(488),
        info: (info) => info.respond(200),
        refer: (referral) => referral.refuse(603),
        identified: () => {},
        ended: () => resolve(),
      });
    });
    const { code, output } = await running;
    assert.equal(code, 0, output);
    await over;
    assert.deepEqual(told, [': no-credentials', 'roaming: accepted']);
  });

  test('calls with a wrong password and is not let in', async () => {
    told.length = 0;
    const port = String(await freeUdpPort());
    const args = ['-sf', scenario('uac-login'), '-m', '1', '-i', '127.0.0.1', '-p', port];
    const enough = new AbortController();
    const running = runSipp([edge.sip, ...args, '-au', 'alice', '-ap', 'rabbit'], enough.signal);
    await eventually(() => told.length === 2, 'sipp has tried');
    // It would wait for a better answer.
    enough.abort();
    await running;
    assert.deepEqual(told, [': no-credentials', ': response']);
  });

  test('RFC 3261 §22.3: asks as a proxy and for itself: INVITE, ACK and BYE have the credentials', async () => {
    const port = await freeUdpPort();
    const args = ['-sf', scenario('uas-login'), '-m', '1', '-i', '127.0.0.1', '-p', String(port)];
    const running = runSipp(args, patience());
    await sippListens('udp', port);
    const outcome = await call(port);
    assert.ok(outcome.kind === 'accepted', JSON.stringify(outcome));
    await outcome.leg.bye(undefined, patience());
    const { code, output } = await running;
    assert.equal(code, 0, output);
  });
});

const script = (algorithm: string, challenge: string) => `
loadmodule "auth.so"
modparam("auth", "algorithm", "${algorithm}")
modparam("auth", "secret", "of the test")
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")
route[WORK] {
  if (method == "ACK") { exit; }
  if (!pv_www_authenticate("carrier.example", "opensesame", "0")) { www_challenge("carrier.example", "${challenge}"); exit; }
  sl_send_reply("486", "Known And Busy");
  exit;
}`;

for (const algorithm of ['MD5', 'SHA-256']) {
  describe(`Kamailio with ${algorithm}`, () => {
    test('takes our credentials, and not those with a wrong password', async (t) => {
      const found = await startKamailio({ script: script(algorithm, '1') });
      if (found.peer === undefined) return t.skip(found.reason);
      try {
        assert.deepEqual(await call(found.peer.port), { kind: 'refused', status: 486, reason: 'Known And Busy' });
        password = 'wrong';
        const refused = await call(found.peer.port);
        assert.deepEqual(refused, {
          kind: 'refused',
          status: 401,
          reason: "Unauthorized (the trunk's credentials don't satisfy it)",
        });
      } finally {
        password = 'opensesame';
        await found.peer.stop();
      }
    });
  });
}
