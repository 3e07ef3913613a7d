// Debian's sipp, which knows no TLS here, calls us through Debian's Kamailio, and we call it: UDP or TCP on its side, TLS on ours,
// two Record-Route values for the two transports.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { reasonToSkip, sippMissing, startKamailio } from '@sidestream/peers';
import type { Target } from '../transport/flow.js';
import { type Party, soon, withParty } from './party.js';
import { type Relay, withRelay } from './relay.js';
import { sippCalls, sippWaits } from './scenario.js';
import { incoming, invite, placeCall, placeReliably, takeCall, takeReliably } from './session.js';

const skip = sippMissing() ?? (await reasonToSkip([startKamailio])) ?? false;

/** @param work gets us, our way to Kamailio, and Kamailio */
function withUs(work: (us: Party, out: Target, relay: Relay) => Promise<void>): Promise<void> {
  return withRelay(async (relay) => {
    const { host, tlsPort: port } = relay.kamailio;
    await withParty('tls', await relay.identity('us'), (us) => work(us, us.at({ host, port }), relay));
  });
}

for (const protocol of ['udp', 'tcp'] as const) {
  test(`sipp calls us by way of Kamailio, ${protocol} to TLS`, { skip }, async () => {
    await withUs(async (us, _out, { kamailio }) => {
      const [call] = await Promise.all([takeCall(us), sippCalls('uac-call', protocol, kamailio, us.uri)]);
      assert.equal(call.flow.tls?.peerSubject, 'CN=kamailio');
      assert.equal(call.request.headers.values('Record-Route').length, 2);
    });
  });

  test(`we call sipp by way of Kamailio, TLS to ${protocol}`, { skip }, async () => {
    await withUs(async (us, out) => {
      const sipp = await sippWaits('uas-call', protocol);
      await Promise.all([placeCall(us, out, sipp.uri), sipp.done]);
    });
  });

  test(`RFC 3262, RFC 3311: sipp calls us by way of Kamailio: PRACK and early UPDATE, ${protocol} to TLS`, {
    skip,
  }, async () => {
    await withUs(async (us, _out, { kamailio }) => {
      const [call] = await Promise.all([takeReliably(us), sippCalls('uac-reliable', protocol, kamailio, us.uri)]);
      assert.equal(call.flow.tls?.peerSubject, 'CN=kamailio');
    });
  });

  test(`RFC 3262, RFC 3311: we call sipp by way of Kamailio: PRACK and early UPDATE, TLS to ${protocol}`, {
    skip,
  }, async () => {
    await withUs(async (us, out) => {
      const sipp = await sippWaits('uas-reliable', protocol);
      await Promise.all([placeReliably(us, out, sipp.uri), sipp.done]);
    });
  });

  test(`sipp gives up by way of Kamailio, ${protocol} to TLS: CANCEL, 487`, { skip }, async () => {
    await withUs(async (us, _out, { kamailio }) => {
      const sipp = sippCalls('uac-cancel', protocol, kamailio, us.uri);
      const call = await incoming(us);
      void call.respond(180);
      await Promise.all([once(call, 'cancel', soon()), sipp]);
    });
  });

  test(`we give up by way of Kamailio, TLS to ${protocol}: CANCEL, 487`, { skip }, async () => {
    await withUs(async (us, out) => {
      const sipp = await sippWaits('uas-cancel', protocol);
      const abort = new AbortController();
      const ringing = ({ status }: { status: number }): void => {
        if (status === 180) abort.abort();
      };
      const calling = invite(us, out, sipp.uri, { signal: abort.signal, onProvisional: ringing });
      await assert.rejects(calling, { code: 'cancelled' });
      await sipp.done;
    });
  });

  test(`OPTIONS outside a dialog, either way by way of Kamailio, ${protocol} and TLS`, { skip }, async () => {
    await withUs(async (us, out, { kamailio }) => {
      await sippCalls('uac-options', protocol, kamailio, us.uri);
      const sipp = await sippWaits('uas-options', protocol);
      const from = '<sip:us@127.0.0.1>';
      const { status } = await us.agent.request({ target: out, method: 'OPTIONS', uri: sipp.uri, from });
      assert.equal(status, 200);
      await sipp.done;
    });
  });
}
