import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, peersRequired } from '@sidestream/peers';
import { Headers } from '@sidestream/sip';
import { dynamics365, inviteHeaders } from '@sidestream/siprec';
import { findLibsrtp } from '../rtp/libsrtp.js';
import { parseRtp } from '../rtp/rtp-packet.js';
import { SrtpReceiver } from '../rtp/srtp.js';
import { readWav } from '../rtp/wav.js';
import type { RecordedStream, SrtpCapture } from './recorded-stream.js';
import type { RecorderSession } from './recorder-session.js';
import type { RecorderSimulator } from './recorder-simulator.js';
import { ACCOUNT, RecordingClient, type TestIdentities, withRecorder } from './recording-client-fixture.js';

const TIMEOUT = { timeout: 20_000 };

async function client(
  t: TestContext,
  recorder: RecorderSimulator,
  identity: TestIdentities['tenant'],
): Promise<RecordingClient> {
  const made = await RecordingClient.create(recorder, identity);
  t.after(() => made.close());
  return made;
}

function only(recorder: RecorderSimulator): {
  session: RecorderSession;
  inbound: RecordedStream;
  outbound: RecordedStream;
} {
  const [session] = recorder.sessions;
  const [inbound, outbound] = session?.streams ?? [];
  assert.ok(session && inbound && outbound);
  return { session, inbound, outbound };
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => (from + index) & 0xffff);

test(
  'a session over mutual TLS: no finding, both voices decrypted in place, files complete and without keys',
  TIMEOUT,
  async (t) => {
    const options = ({ directory }: TestIdentities) => ({ directory: join(directory, 'out'), ...ACCOUNT });
    await withRecorder(options, async (recorder, identities) => {
      const src = await client(t, recorder, identities.tenant);
      const started = once(recorder, 'session');
      const ended = once(recorder, 'ended');
      await src.invite();
      await started;
      const said = [src.send(0, range(10, 20)), src.send(1, range(500, 30))];
      const { session, inbound, outbound } = only(recorder);
      await eventually(
        () => inbound.statistics.received === 20 && outbound.statistics.received === 30,
        'the packets are there',
      );
      await src.bye();
      assert.deepEqual((await ended).slice(1), ['client']);

      assert.deepEqual(session.findings, []);
      assert.deepEqual([inbound.label, outbound.label], ['inbound', 'outbound']);
      const { lost, authFailures, duplicates, reordered } = inbound.statistics;
      assert.deepEqual(
        { lost, authFailures, duplicates, reordered },
        { lost: 0, authFailures: 0, duplicates: 0, reordered: 0 },
      );
      assert.deepEqual(
        inbound.packets.map(({ payload }) => payload),
        said[0],
      );
      assert.match(session.peer.tls?.peerSubject ?? '', /CN=tenant/);
      assert.equal(session.peer.tls?.version, 'TLSv1.3');
      assert.deepEqual(
        session.metadata.map(({ method }) => method),
        ['INVITE', 'BYE'],
      );

      const folder = session.directory ?? '';
      assert.equal(folder, join(identities.directory, 'out', src.callId));
      const wav = readWav(await readFile(join(folder, 'outbound.wav')));
      assert.deepEqual(wav, { encoding: 'PCMU', data: Buffer.concat(said[1] ?? []) });
      assert.equal((await stat(join(folder, 'inbound.wav'))).mode & 0o777, 0o600);
      const invite = await readFile(join(folder, 'invite.sip'), 'utf8');
      assert.match(invite, /^INVITE sip:SRS@recorder\.test:\d+;transport=tls SIP\/2\.0\r\n/);
      assert.match(invite, /a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\*{40}\r\n/);
      for (const { master } of src.voices) assert.ok(!invite.includes(master.toString('base64')));
      assert.match(await readFile(join(folder, 'bye.sip'), 'utf8'), /^BYE .*X-AccountId: AC0123\r\n/s);
      assert.match(await readFile(join(folder, 'metadata.xml'), 'utf8'), /Müller &amp; &lt;Söhne&gt;/);
    });
  },
);

test(
  'loss, reordering, duplicates, forgeries and foreign datagrams are told apart; a gap is silence in the file',
  TIMEOUT,
  async (t) => {
    await withRecorder(
      ({ directory }) => ({ directory }),
      async (recorder, { tenant }) => {
        const src = await client(t, recorder, tenant);
        await src.invite();
        const { session, inbound } = only(recorder);
        let repeated: Buffer = Buffer.alloc(0);
        src.send(0, [0xfffe, 0, 0xffff, 1]);
        src.send(0, [4], (srtp) => {
          repeated = srtp;
          return srtp;
        });
        src.send(0, [5], () => repeated);
        src.send(0, [6], (srtp) => Buffer.concat([srtp.subarray(0, -1), Buffer.of((srtp.at(-1) ?? 0) ^ 1)]));
        src.send(0, [7], () => Buffer.from('hello'));
        await eventually(() => inbound.statistics.datagrams === 8, 'the packets are there');
        const { received, lost, reordered, duplicates, authFailures } = inbound.statistics;
        assert.deepEqual(
          { received, lost, reordered, duplicates, authFailures },
          { received: 5, lost: 2, reordered: 1, duplicates: 1, authFailures: 1 },
        );
        await src.bye();
        await session.ended;
        assert.deepEqual(
          session.findings.map(({ name, where }) => [name, where]),
          [
            ['media-authentication', 'inbound'],
            ['media-not-rtp', 'inbound'],
          ],
        );
        const { data } = readWav(await readFile(join(session.directory ?? '', 'inbound.wav')));
        const block = (value: number) => Buffer.alloc(160, value);
        assert.deepEqual(data, Buffer.concat([0xfe, 0xff, 0, 1, 0xff, 0xff, 4].map(block)));
      },
    );
  },
);

test('a captured stream is decrypted alike by libsrtp', TIMEOUT, async (t) => {
  const { libsrtp, reason } = await findLibsrtp();
  if (libsrtp === undefined) {
    assert.ok(!peersRequired(), reason);
    return t.skip(reason);
  }
  const captured: SrtpCapture[] = [];
  await withRecorder({ onSrtpPacket: (capture) => captured.push(capture) }, async (recorder, { tenant }) => {
    const src = await client(t, recorder, tenant);
    await src.invite();
    const { inbound } = only(recorder);
    src.send(0, range(0xfff0, 40));
    await eventually(() => inbound.statistics.received === 40, 'the packets are there');
    const [first] = captured;
    assert.ok(first?.label === 'inbound' && first.callId === src.callId);
    const clear = await libsrtp.unprotect(
      first.key,
      captured.map(({ packet }) => packet),
    );
    const payloads = clear.map((packet) => (Buffer.isBuffer(packet) ? parseRtp(packet)?.payload : packet.error));
    assert.deepEqual(
      payloads,
      inbound.packets.map(({ payload }) => payload),
    );
  });
});

test("RFC 3550 §6: receiver reports go to the client as SRTCP under the recorder's own key", TIMEOUT, async (t) => {
  await withRecorder({ rtcpIntervalMs: 50 }, async (recorder, { tenant }) => {
    const src = await client(t, recorder, tenant);
    await src.invite();
    const [voice] = src.voices;
    assert.ok(voice?.to?.key);
    const report = once(voice.ports, 'rtcp');
    src.send(0, range(1, 3));
    const [bytes] = (await report) as [Buffer];
    const { packet, refused } = new SrtpReceiver(voice.to.key).unprotectRtcp(bytes);
    assert.ok(packet !== undefined, refused);
    assert.deepEqual([packet.readUInt8(1), packet.readUInt32BE(8)], [201, 77]);
    assert.ok(only(recorder).inbound.statistics.rtcpSent > 0);
  });
});

test(
  'a re-INVITE to inactive and back keeps ports and keys; the rollover counter goes on; a new key starts anew',
  TIMEOUT,
  async (t) => {
    await withRecorder({}, async (recorder, { tenant }) => {
      const src = await client(t, recorder, tenant);
      await src.invite();
      const { session, inbound } = only(recorder);
      const terms = src.voices.map(({ to }) => to);
      src.send(0, range(0xfffd, 5));
      await eventually(() => inbound.statistics.received === 5, 'the packets are there');
      const paused = await src.reinvite('inactive');
      assert.match(paused, /a=inactive/);
      assert.doesNotMatch(paused, /a=recvonly/);
      const resumed = await src.reinvite('sendonly');
      src.takeAnswer('application/sdp', Buffer.from(resumed));
      assert.deepEqual(
        src.voices.map(({ to }) => to),
        terms,
      );
      src.send(0, range(2, 5));
      await eventually(() => inbound.statistics.received === 10, 'the packets are there');
      const late: Buffer[] = [];
      src.send(0, [12], (srtp) => {
        late.push(srtp);
        return Buffer.alloc(0);
      });
      src.rekey(0);
      src.takeAnswer('application/sdp', Buffer.from(await src.reinvite('sendonly')));
      assert.notDeepEqual(src.voices[0]?.to, terms[0]);
      assert.deepEqual(src.voices[1]?.to, terms[1]);
      src.send(0, range(7, 5));
      // What was under way when the key changed still counts.
      src.send(0, [13], () => late[0] ?? assert.fail());
      await eventually(() => inbound.statistics.received === 16, 'the packets are there');
      assert.deepEqual([inbound.statistics.authFailures, inbound.statistics.lost], [0, 0]);
      assert.deepEqual(
        session.findings.map(({ name }) => name),
        ['media-not-rtp'],
      );
      assert.deepEqual(
        session.metadata.map(({ method }) => method),
        ['INVITE', 're-INVITE', 're-INVITE', 're-INVITE'],
      );
    });
  },
);

test('what deviates from the profile is found by name, and the session goes on', TIMEOUT, async (t) => {
  await withRecorder({ accountId: 'AC9999' }, async (recorder, { tenant }) => {
    const src = await client(t, recorder, tenant);
    const body = src.body('sendonly', (sdp) =>
      sdp
        .replace('a=label:inbound', 'a=label:1')
        .replace('a=sendonly', 'a=sendrecv\r\na=rtcp-mux')
        .replace('ptime:20', 'ptime:30'),
    );
    const headers = new Headers(inviteHeaders(dynamics365, ACCOUNT));
    headers.delete('Require');
    await src.invite({ headers, body, contact: '<sip:SRC@127.0.0.1:5061;transport=tls>' });
    await src.bye({ plain: true });
    const { session } = only(recorder);
    await session.ended;
    assert.deepEqual(session.findings.map(({ name, where }) => `${where} ${name}`).sort(), [
      'BYE account-id',
      'BYE metadata-missing',
      'BYE require-siprec',
      'INVITE account-id',
      'INVITE contact-sip-src',
      'INVITE metadata-labels',
      'INVITE require-siprec',
      'INVITE stream-direction',
      'INVITE stream-label',
      'INVITE stream-ptime',
      'INVITE stream-rtcp-mux',
    ]);
  });
});

test('an offer in clear gets 488, and no session comes of it', TIMEOUT, async (t) => {
  await withRecorder({}, async (recorder, { tenant }) => {
    const src = await client(t, recorder, tenant);
    const body = src.body('sendonly', (sdp) => sdp.replaceAll('RTP/SAVP', 'RTP/AVP').replace(/a=crypto.*\r\n/g, ''));
    await assert.rejects(src.invite({ body }), { code: 'rejected', status: 488 });
    await eventually(() => recorder.active === 0, 'no session is active');
    assert.equal(recorder.sessions.length, 0);
  });
});

test('the recorder refuses a client of another authority', TIMEOUT, async (t) => {
  await withRecorder({}, async (recorder, { stranger }) => {
    const refused = once(recorder, 'refused');
    const src = await client(t, recorder, stranger);
    await assert.rejects(src.invite(), (error) => error instanceof Error && 'code' in error);
    const [remote, reason] = await refused;
    assert.equal(remote.host, '127.0.0.1');
    assert.equal(typeof reason, 'string');
    assert.equal(recorder.sessions.length, 0);
  });
});

test('the recorder refuses a connection without a client certificate', TIMEOUT, async () => {
  await withRecorder({}, async (recorder, { recorder: { trustFile } }) => {
    const { connect } = await import('node:tls');
    const refused = once(recorder, 'refused');
    const { host, port } = recorder.address;
    const socket = connect({ host, port, servername: 'recorder.test', ca: await readFile(trustFile ?? '') });
    socket.on('error', () => undefined);
    await refused;
    socket.destroy();
    assert.equal(recorder.sessions.length, 0);
  });
});

test('a recorder with a certificate for another name is refused by the client', TIMEOUT, async (t) => {
  await withRecorder(
    ({ otherName }) => ({ tls: otherName }),
    async (recorder, { tenant }) => {
      const src = await client(t, recorder, tenant);
      await assert.rejects(src.invite(), { code: 'tls-refused' });
    },
  );
});

test('closing the recorder ends its sessions by BYE', TIMEOUT, async (t) => {
  await withRecorder({}, async (recorder, { tenant }) => {
    const src = await client(t, recorder, tenant);
    await src.invite();
    await Promise.all([recorder.close(), src.hungUp()]);
    assert.equal(await only(recorder).session.ended, 'recorder');
    assert.equal(recorder.active, 0);
  });
});
