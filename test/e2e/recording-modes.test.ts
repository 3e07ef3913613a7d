// When a recording begins, what depends on it, and how many there are: `start`, `mode` and `parallel` of a tenant, on real parts.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { eventually, freeTcpPort } from '@sidestream/peers';
import { CredentialFolder } from '@sidestream/pki';
import {
  type Behaviour,
  comparePackets,
  delayAnswer,
  type IncomingTreatment,
  type PartyCall,
  type RecorderSession,
  RecorderSimulator,
  rejectWith,
  staySilent,
  type TracedMessage,
} from '@sidestream/simulators';
import { recordOf, runOn } from './records.js';
import { Stage, type StageCall, type StageOptions } from './stage.js';

const accountId = 'AC00000000000000000000000000000001';

interface Modes extends StageOptions {
  /** Keys of the tenant's `recording`. */
  readonly recording: object;
  readonly incoming?: IncomingTreatment;
  /** Port of a second recorder. */
  readonly secondPort?: number;
  readonly emergencyNumbers?: string[];
}

function stageOf(t: TestContext, modes: Modes): Promise<Stage | undefined> {
  const { recording, incoming = { ringMs: 400 }, secondPort, emergencyNumbers, ...options } = modes;
  return Stage.start(t, {
    ...options,
    seller: { incoming, ...options.seller },
    configure: ({ tenants, regions, signalling }) => {
      Object.assign(tenants['contoso']?.recording ?? {}, recording);
      if (secondPort !== undefined) regions['local']?.recorders.push(`sip:SRS@localhost:${secondPort};transport=tls`);
      if (emergencyNumbers) Object.assign(signalling, { emergencyNumbers });
    },
  });
}

/** The caller's end of a call that is not answered. */
async function unanswered(stage: Stage, number = listedSeller.number): Promise<PartyCall> {
  return stage.customer.call(stage.uri(number), { answerTimeoutMs: 10_000 });
}

/** Both parties talk and hang up; neither has lost a packet since the call was answered, and nothing is left. */
async function finish(stage: Stage, call: StageCall): Promise<number> {
  await stage.talk(call, 40);
  const hungUpAt = Date.now();
  // Who answers first speaks to somebody who is held back: that may be cut.
  const answeredAt = call.customer.moments.answeredAt ?? 0;
  await call.customer.hangUp();
  await call.seller.ended;
  for (const [speaker, listener] of [
    [call.customer, call.seller],
    [call.seller, call.customer],
  ] as const) {
    const spoken = speaker.sent.filter(({ sentAt }) => sentAt >= answeredAt);
    const { packetsSent, lost, changed } = comparePackets(spoken, listener.received, {
      from: answeredAt,
      until: hungUpAt,
    });
    assert.ok(packetsSent > 30);
    assert.deepEqual({ lost, changed }, { lost: 0, changed: 0 }, `heard by the ${listener.direction} call`);
  }
  await stage.nothingIsLeft();
  return hungUpAt;
}

/** Every packet that each party sent from its own 200 on was authenticated by the recorder, on its own stream. */
async function assertWhole(session: RecorderSession | undefined, call: StageCall, until: number): Promise<void> {
  await session?.ended;
  assert.equal(session?.streams.length, 2);
  for (const [index, party] of [call.customer, call.seller].entries()) {
    const packets = session?.streams[index]?.packets ?? [];
    const { packetsSent, lost, changed } = comparePackets(party.sent, packets, {
      from: party.moments.answeredAt ?? 0,
      until,
    });
    assert.ok(packetsSent > 30);
    assert.deepEqual({ lost, changed }, { lost: 0, changed: 0 }, `the voice on stream ${index}`);
  }
  assert.deepEqual(session?.findings, []);
}

async function ended(stage: Stage): Promise<string | undefined> {
  await eventually(() => stage.laboratory.bodies('callEnded').length === 1, 'the call has ended');
  return stage.laboratory.bodies('callEnded')[0]?.termination?.reason;
}

for (const recording of [{ start: 'ringing' }, { mode: 'required' }]) {
  const mode = Object.values(recording).join();
  describe(`${mode}: the recording is set up before the answer`, () => {
    test('and has both voices from the first word on', async (t) => {
      const stage = await stageOf(t, { recording, recorder: { behaviour: delayAnswer(100) } });
      if (!stage) return;
      const call = await stage.inbound();
      const { sessions } = stage.laboratory.recorder;
      assert.equal(sessions.length, 1, 'the recorder was asked while it rang');
      await assertWhole(sessions[0], call, await finish(stage, call));
      const kinds = stage.laboratory.events.map(({ body }) => body?.$case);
      assert.ok(kinds.indexOf('recordingStarted') < kinds.indexOf('callAnswered'));
      assert.equal(await ended(stage), 'hangup');
    });

    test('also when the seller is the one who calls', async (t) => {
      const stage = await stageOf(t, { recording, customer: { incoming: { ringMs: 400 } } });
      if (!stage) return;
      const call = await stage.outbound();
      await assertWhole(stage.laboratory.recorder.sessions[0], call, await finish(stage, call));
    });

    test('and early media with a description of its own harms nothing', async (t) => {
      const stage = await stageOf(t, { recording, incoming: { ringMs: 600, earlyMedia: true } });
      if (!stage) return;
      const call = await stage.inbound();
      const [session] = stage.laboratory.recorder.sessions;
      await assertWhole(session, call, await finish(stage, call));
      const answeredAt = call.seller.moments.answeredAt ?? 0;
      const early = session?.streams[1]?.packets.filter(({ receivedAt }) => receivedAt < answeredAt) ?? [];
      assert.ok(early.length > 10, `${early.length} packets of what was said before the answer`);
    });

    const ends: [string, IncomingTreatment, (call: PartyCall) => Promise<unknown>, string][] = [
      ['is refused', { ringMs: 300, rejectWith: 486 }, async () => undefined, 'busy'],
      ['is given up by the caller', { neverAnswer: true }, (call) => call.cancel(), 'cancelled'],
    ];
    for (const [what, incoming, end, reason] of ends) {
      test(`and ends with a call that ${what}, with nothing left`, async (t) => {
        const stage = await stageOf(t, { recording, incoming });
        if (!stage) return;
        const call = await unanswered(stage);
        await eventually(() => stage.laboratory.bodies('recordingStarted').length === 1, 'the recording has started');
        await end(call);
        await call.ended;
        assert.equal(await ended(stage), reason);
        await stage.nothingIsLeft();
        assert.equal(await stage.laboratory.recorder.sessions[0]?.ended, 'client');
        assert.equal(stage.laboratory.bodies('recordingEnded')[0]?.termination?.reason, 'call-ended');
      });
    }

    test('and is cancelled with a call that ends while the recorder is silent', async (t) => {
      const stage = await stageOf(t, {
        recording: { ...recording, provisionalTimeoutMs: 8_000, finalTimeoutMs: 8_000 },
        incoming: { neverAnswer: true },
        recorder: { behaviour: staySilent() },
      });
      if (!stage) return;
      const call = await unanswered(stage);
      await eventually(() => call.moments.ringingAt !== undefined, 'it rings');
      await call.cancel();
      assert.equal(await ended(stage), 'cancelled');
      await eventually(() => stage.laboratory.bodies('recordingFailed').length === 1, 'the recording has failed');
      assert.equal(stage.laboratory.bodies('recordingFailed')[0]?.termination?.reason, 'call-ended-before-start');
      await stage.nothingIsLeft();
    });
  });
}

describe('required', () => {
  const recording = { mode: 'required', requiredTimeoutMs: 600 };

  test('a call that is answered at once is held until it is recorded', async (t) => {
    const behaviour = delayAnswer(200);
    const stage = await stageOf(t, { recording, incoming: { ringMs: 0 }, recorder: { behaviour } });
    if (!stage) return;
    const call = await stage.inbound();
    const held = (call.customer.moments.answeredAt ?? 0) - (call.seller.moments.answeredAt ?? 0);
    assert.ok(held >= 200, `held for ${held} ms`);
    await finish(stage, call);
    assert.equal(await ended(stage), 'hangup');
  });

  const broken: [string, Partial<Modes>, number][] = [
    ['is silent', { recorder: { behaviour: staySilent() } }, 600],
    ['answers too late', { recorder: { behaviour: delayAnswer(1_500) } }, 600],
    ['answers 503', { recorder: { behaviour: rejectWith(503) } }, 0],
    ['is absent', { recorder: false }, 0],
  ];
  for (const [what, options, heldMs] of broken) {
    test(`a recorder that ${what}: the caller hears 503 and why, the callee is let go, nothing is left`, async (t) => {
      const heard: string[] = [];
      const onMessage = ({ direction, message }: TracedMessage) => {
        if (direction !== 'received') return;
        const name = message.kind === 'request' ? message.method : message.status;
        heard.push(...message.headers.all('Reason').map((reason) => `${name} ${reason}`));
      };
      const stage = await stageOf(t, {
        recording,
        incoming: { ringMs: 200 },
        customer: { onMessage },
        seller: { onMessage },
        ...options,
      });
      if (!stage) return;
      const startedAt = Date.now();
      const call = await unanswered(stage);
      const end = await call.ended;
      assert.deepEqual([end.by, end.status], ['rejected', 503]);
      assert.ok(Date.now() - startedAt >= heldMs);
      assert.equal(await ended(stage), 'recording-required');
      assert.match(stage.laboratory.bodies('callEnded')[0]?.termination?.detail ?? '', /must be recorded/);
      assert.equal(stage.laboratory.bodies('callAnswered').length, 0);
      await stage.nothingIsLeft();
      // RFC 3326: the caller's 503; the BYE of a callee who had answered, the CANCEL of one who had not.
      const reasons = heard.filter((reason) => /^\w+ SIP;cause=503;text=".*record/.test(reason));
      assert.deepEqual(
        reasons.map((reason) => reason.split(' ')[0]).sort(),
        ['503', heldMs > 0 ? 'BYE' : 'CANCEL'],
        heard.join(),
      );
    });
  }

  test('a call for help is put through without its recording', async (t) => {
    const emergencyNumbers = [listedSeller.number];
    const stage = await stageOf(t, { recording, emergencyNumbers, recorder: { behaviour: rejectWith(503) } });
    if (!stage) return;
    await finish(stage, await stage.inbound());
    assert.equal(await ended(stage), 'hangup');
  });
});

describe('parallel', () => {
  test('all: two recorders have the whole call, with ids of their own in one group; the first is told', async (t) => {
    const secondPort = await freeTcpPort('127.0.0.1');
    const stage = await stageOf(t, { recording: { start: 'ringing', parallel: 'all' }, secondPort });
    if (!stage) return;
    const second = await secondRecorder(t, stage, secondPort);
    const call = await stage.inbound();
    const until = await finish(stage, call);
    const sessions = [stage.laboratory.recorder, second].map((recorder) => recorder.sessions[0]);
    for (const session of sessions) await assertWhole(session, call, until);
    const [answered] = stage.laboratory.bodies('callAnswered');
    assert.equal(sessions[0]?.callId, answered?.recordingCallId);
    assert.notEqual(sessions[1]?.callId, answered?.recordingCallId);
    const groups = sessions.map((session) => session?.metadata[0]?.document?.groups[0]?.id);
    assert.ok(groups[0] !== undefined && groups[0] === groups[1]);
    const told = stage.laboratory.bodies('recordingEnded').map(({ recordingId }) => recordingId);
    assert.equal(new Set(told).size, 2);
    assert.equal((await recordOf(stage)).record.verdict, 'VERDICT_COMPLETE');
  });

  test('all: a call that one of two recorders refuses is missing while it lives, and recorded in part', async (t) => {
    const secondPort = await freeTcpPort('127.0.0.1');
    const stage = await stageOf(t, { recording: { parallel: 'all' }, secondPort });
    if (!stage) return;
    await secondRecorder(t, stage, secondPort, rejectWith(503));
    const call = await stage.inbound();
    const missing = () => stage.laboratory.bodies('recordingMissing');
    await eventually(() => missing().length === 1, 'it is told', 30_000);
    assert.equal(missing()[0]?.reason, 'recorder-refused');
    await finish(stage, call);
    const { callId, record } = await recordOf(stage);
    assert.equal(record.verdict, 'VERDICT_PARTIAL');
    const text = `recorded in part at sip:SRS@localhost:${secondPort};transport=tls: nothing was recorded`;
    assert.ok((await runOn(stage, 'calls', 'show', callId)).includes(text));
  });

  const rules: ['any' | 'all', Behaviour, 'answered' | 503][] = [
    ['any', rejectWith(503), 'answered'],
    ['all', rejectWith(503), 503],
  ];
  for (const [parallel, behaviour, outcome] of rules) {
    test(`required and ${parallel}, one of two recorders refuses: ${outcome}`, async (t) => {
      const secondPort = await freeTcpPort('127.0.0.1');
      const stage = await stageOf(t, { recording: { mode: 'required', parallel }, secondPort });
      if (!stage) return;
      await secondRecorder(t, stage, secondPort, behaviour);
      if (outcome === 'answered') {
        const call = await stage.inbound();
        await assertWhole(stage.laboratory.recorder.sessions[0], call, await finish(stage, call));
        assert.equal((await recordOf(stage)).record.verdict, 'VERDICT_COMPLETE');
      } else {
        const end = await (await unanswered(stage)).ended;
        assert.equal(end.status, outcome);
        assert.equal(await ended(stage), 'recording-required');
        await stage.nothingIsLeft();
        assert.equal(await stage.laboratory.recorder.sessions[0]?.ended, 'client');
      }
      assert.equal(stage.laboratory.bodies('recordingFailed').length, 1);
    });
  }
});

async function secondRecorder(
  t: TestContext,
  { laboratory }: Stage,
  port: number,
  behaviour?: Behaviour,
): Promise<RecorderSimulator> {
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const credential = await laboratory.authority.issue({ commonName: 'second', dnsNames: ['localhost'] });
  const tls = await folder.write(credential, 'second', laboratory.authority);
  const recorder = await RecorderSimulator.start({ tls, accountId, port, ...(behaviour && { behaviour }) });
  t.after(() => recorder.close());
  return recorder;
}
