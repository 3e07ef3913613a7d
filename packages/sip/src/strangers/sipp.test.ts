// Both roles in every method of a session against Debian's sipp, by scenarios of our own (strangers/*.xml).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { sippMissing } from '@sidestream/peers';
import { soon, withParty } from './party.js';
import { sippCalls, sippWaits } from './scenario.js';
import { incoming, invite, placeCall, placeReliably, takeCall, takeReliably } from './session.js';

const skip = sippMissing() ?? false;

for (const protocol of ['udp', 'tcp'] as const) {
  test(`${protocol}: sipp calls: INVITE, re-INVITE, UPDATE, OPTIONS both ways, BYE`, { skip }, async () => {
    await withParty(protocol, undefined, async (party) => {
      await Promise.all([takeCall(party), sippCalls('uac-call', protocol, party.address, party.uri)]);
    });
  });

  test(`${protocol}: sipp is called: INVITE, re-INVITE, UPDATE, OPTIONS both ways, BYE`, { skip }, async () => {
    await withParty(protocol, undefined, async (party) => {
      const sipp = await sippWaits('uas-call', protocol);
      await Promise.all([placeCall(party, party.at(sipp.address), sipp.uri), sipp.done]);
    });
  });

  test(`${protocol}: RFC 3262 §3, RFC 3311 §5: sipp calls: PRACK for our 183, UPDATE both ways before the answer`, {
    skip,
  }, async () => {
    await withParty(protocol, undefined, async (party) => {
      await Promise.all([takeReliably(party), sippCalls('uac-reliable', protocol, party.address, party.uri)]);
    });
  });

  test(`${protocol}: RFC 3262 §4, RFC 3311 §5: sipp is called: our PRACK, UPDATE both ways before the answer`, {
    skip,
  }, async () => {
    await withParty(protocol, undefined, async (party) => {
      const sipp = await sippWaits('uas-reliable', protocol);
      await Promise.all([placeReliably(party, party.at(sipp.address), sipp.uri), sipp.done]);
    });
  });

  test(`${protocol}: sipp gives up while it rings: CANCEL, 487`, { skip }, async () => {
    await withParty(protocol, undefined, async (party) => {
      const sipp = sippCalls('uac-cancel', protocol, party.address, party.uri);
      const call = await incoming(party);
      void call.respond(180);
      await Promise.all([once(call, 'cancel', soon()), sipp]);
    });
  });

  test(`${protocol}: we give up while it rings: CANCEL, 487`, { skip }, async () => {
    await withParty(protocol, undefined, async (party) => {
      const sipp = await sippWaits('uas-cancel', protocol);
      const abort = new AbortController();
      const ringing = ({ status }: { status: number }): void => {
        if (status === 180) abort.abort();
      };
      const calling = invite(party, party.at(sipp.address), sipp.uri, { signal: abort.signal, onProvisional: ringing });
      await assert.rejects(calling, { code: 'cancelled' });
      await sipp.done;
    });
  });

  test(`${protocol}: OPTIONS outside a dialog, either way`, { skip }, async () => {
    await withParty(protocol, undefined, async (party) => {
      await sippCalls('uac-options', protocol, party.address, party.uri);
      const sipp = await sippWaits('uas-options', protocol);
      const { status, headers } = await party.agent.request({
        target: party.at(sipp.address),
        method: 'OPTIONS',
        uri: sipp.uri,
        from: '<sip:party@127.0.0.1>',
      });
      assert.equal(status, 200);
      assert.match(headers.get('Allow') ?? '', /PRACK/);
      await sipp.done;
    });
  });
}
