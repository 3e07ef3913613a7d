// Certificates of both sides, on real TLS: which are refused, and how ours are renewed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { eventually, startKamailio } from '@sidestream/peers';
import { createAuthority } from '@sidestream/pki';
import { failure, goodbye, inviteTo, never, RecorderStage } from '../testing/recorder-stage.js';

const stage = await RecorderStage.open();
after(() => stage.close());
const stranger = await createAuthority('another authority');
const yesterday = new Date(Date.now() - 86_400_000);
const here = { ipAddresses: ['127.0.0.1'] };
const calm = { tendMs: 600_000, provenMs: 600_000, redialMs: 600_000 };

describe("the recorder's certificate", { timeout: 20_000 }, () => {
  for (const [what, files, reason] of [
    [
      'of another authority',
      () => stage.server(here, stranger, 'stranger'),
      /certificate from an authority that is not trusted/,
    ],
    [
      'for another name',
      () => stage.server({ dnsNames: ['other.example'] }, undefined, 'other'),
      /certificate for another name/,
    ],
    [
      'that has expired',
      () => stage.server({ ...here, notAfter: yesterday }, undefined, 'expired'),
      /certificate expired/,
    ],
  ] as const) {
    test(`${what}: refused with the reason, counted, and the breaker opens at once`, async () => {
      const recorder = await stage.recorder(undefined, files());
      const recorders = await stage.client([recorder.uri()], {}, { timing: calm });
      const error = await failure(recorders.invite(inviteTo(recorder.uri()), never));
      assert.equal(error.code, 'recorder-unreachable');
      assert.match(error.message, reason);
      assert.equal(await recorders.metric('breaker_state'), 2);
      assert.equal(await recorders.metric('failures_total', { class: 'tls-refused' }), 1);
      assert.match(String(recorders.logs[0]?.['why']), reason);
      assert.equal(recorder.invites.length, 0);
    });
  }

  test('renewed at the recorder: the breaker closes by itself', async () => {
    const recorder = await stage.recorder(undefined, stage.server(here, stranger, 'mended'));
    const recorders = await stage.client([recorder.uri()]);
    await failure(recorders.invite(inviteTo(recorder.uri()), never));
    await stage.server(here, undefined, 'mended');
    await eventually(async () => (await recorders.metric('breaker_state')) === 0, 'the breaker is closed');
    await (await recorders.invite(inviteTo(recorder.uri()), never)).bye(goodbye, never);
  });
});

describe('our certificate', { timeout: 20_000 }, () => {
  for (const [what, renew, reason] of [
    [
      'of an authority that the recorder does not trust',
      () => stage.identity('client', stranger),
      /the peer does not trust our certificate/,
    ],
    [
      'that has expired',
      () => stage.identity('client', undefined, yesterday),
      /our certificate has expired for the peer/,
    ],
  ] as const) {
    // In TLS 1.3 our side of the handshake is done before the recorder has looked at our certificate.
    test(`${what}: the recorder's refusal is named, counted, and opens the breaker`, async (t) => {
      const { certificate, key, trust } = await stage.authority.issue({ commonName: 'kamailio', ...here });
      const started = await startKamailio({ tls: { certificate, key, trust } });
      if (started.peer === undefined) return t.skip(started.reason);
      const { peer } = started;
      stage.closing.push(() => peer.stop());
      const uri = `sip:SRS@127.0.0.1:${peer.tlsPort}`;
      const recorders = await stage.client([uri], {}, { timing: calm });
      await renew();
      assert.equal((await failure(recorders.invite(inviteTo(uri), never))).code, 'recorder-unreachable');
      await eventually(async () => (await recorders.metric('breaker_state')) === 2, 'the breaker is open');
      assert.match(String(recorders.logs[0]?.['why']), reason);
      // Of the connection, and of the INVITE on it if that was still waiting.
      assert.ok(Number(await recorders.metric('failures_total', { class: 'tls-refused' })) >= 1);
    });
  }

  test('refused without a word, by a recorder that just hangs up: the breaker opens all the same', async () => {
    const recorder = await stage.recorder();
    const recorders = await stage.client([recorder.uri()], {}, { timing: { ...calm, redialMs: 20 } });
    await stage.identity('client', stranger);
    recorders.warm();
    await eventually(async () => (await recorders.metric('breaker_state')) === 2, 'the breaker is open');
    assert.equal(recorder.requests.length, 0);
  });

  test('renewed by replacing its files: the old connection carries its dialogs to their end, new ones show the new certificate', async () => {
    const recorder = await stage.recorder();
    const recorders = await stage.client([recorder.uri()], {}, { timing: calm });
    const before = await recorders.invite(inviteTo(recorder.uri()), never);
    const alsoBefore = await recorders.invite(inviteTo(recorder.uri()), never);
    await stage.identity('renewed client');
    const later = await recorders.invite(inviteTo(recorder.uri()), never);
    assert.match(before.clientCertificateSubject, /CN=client/);
    assert.match(later.clientCertificateSubject, /CN=renewed client/);
    const [old, , fresh] = recorder.invites.map(({ flow }) => flow);
    assert.deepEqual([old?.tls?.peerSubject, fresh?.tls?.peerSubject], ['CN=client', 'CN=renewed client']);
    assert.equal(recorder.connections, 2);

    // Both ways: ours, and the recorder's own.
    const response = await before.reinvite({ ...goodbye, contentType: 'application/sdp' }, never);
    assert.equal(response.status, 488);
    const [peer] = recorder.dialogs;
    assert.equal((await peer?.request('OPTIONS'))?.status, 200);
    assert.equal(await before.bye(goodbye, never), 200);
    assert.deepEqual(
      recorder.byes.map(({ callId }) => callId),
      [recorder.invites[0]?.request.callId],
    );
    assert.equal(old?.closed, false);
    assert.equal(await alsoBefore.bye(goodbye, never), 200);
    // Nothing is left on it, so it ends; the new one stays.
    await eventually(() => recorder.connections === 1, 'the old connection is closed');
    assert.equal(fresh?.closed, false);
    await later.bye(goodbye, never);
  });

  test('renewed while no call comes: the connection is replaced before the next one', async () => {
    const recorder = await stage.recorder();
    const recorders = await stage.client([recorder.uri()], {}, { timing: { ...calm, tendMs: 30 } });
    const first = recorder.nextRequest();
    recorders.warm();
    await first;
    const second = recorder.nextRequest();
    await stage.identity('renewed client');
    assert.equal((await second).flow.tls?.peerSubject, 'CN=renewed client');
    await eventually(() => recorder.connections === 1, 'the old connection is closed');
  });

  test('a broken new file keeps the old identity in use, and is told once', async () => {
    const recorder = await stage.recorder();
    const { certFile } = await stage.identity();
    const recorders = await stage.client([recorder.uri()], {}, { timing: calm });
    await (await recorders.invite(inviteTo(recorder.uri()), never)).bye(goodbye, never);
    writeFileSync(certFile, 'half a certific');
    for (let i = 0; i < 3; i += 1) await (await recorders.invite(inviteTo(recorder.uri()), never)).bye(goodbye, never);
    assert.equal(recorder.connections, 1);
    assert.deepEqual(
      recorders.logs.map(({ level, tenant, msg }) => [level, tenant, msg]),
      [['error', 'contoso', 'the new recorder identity is not usable; the old one stays in use']],
    );
    await stage.identity('renewed client');
    const dialog = await recorders.invite(inviteTo(recorder.uri()), never);
    assert.match(dialog.clientCertificateSubject, /CN=renewed client/);
    await dialog.bye(goodbye, never);
  });
});
