// One trace for each call, through every process that has a part in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LaboratoryConfig, listedSeller } from '@sidestream/cli';
import { eventually, freeTcpPort } from '@sidestream/peers';
import { traceHeader } from '@sidestream/service';
import { type SipMessage, serialiseMessage } from '@sidestream/sip';
import { customerNumber, Stage } from '../e2e/stage.js';
import { everyService } from './every-service.js';
import { TraceCollector } from './trace-collector.js';

async function stageWith(
  t: Parameters<typeof everyService>[0],
  endpoint: string,
  sampleRatio: number,
  lines: string[],
  { wire = [], log = {} }: { readonly wire?: string[]; readonly log?: LaboratoryConfig['log'] } = {},
) {
  const { configure, ...options } = await everyService(t);
  const listening = {
    onMessage: ({ message }: { message: SipMessage }) => void wire.push(serialiseMessage(message).toString('latin1')),
  };
  return await Stage.start(t, {
    ...options,
    ...{ customer: listening, seller: listening, recorder: listening },
    onLog: (line) => lines.push(line),
    configure: (config) => {
      configure?.(config);
      config.telemetry = { traces: { endpoint, sampleRatio } };
      config.log = log;
    },
  });
}

async function recordedCall(stage: Stage, nth = 1): Promise<void> {
  const { laboratory } = stage;
  const call = await stage.inbound();
  await eventually(() => laboratory.bodies('recordingStarted').length === nth, 'the recording has started');
  await call.customer.hangUp();
  await eventually(() => laboratory.bodies('callEnded').length === nth, 'the call is over');
}

test('a recorded call is one trace: edge, signalling, gRPC, ng, recorder, NATS, gateway; its logs name it', async (t) => {
  const collector = await TraceCollector.start(t);
  const lines: string[] = [];
  const wire: string[] = [];
  const stage = await stageWith(t, collector.endpoint, 1, lines, { wire });
  if (!stage) return;
  await recordedCall(stage);
  await eventually(() => collector.named('dialer callEnded').length === 1, 'the gateway has told of the end', 30_000);
  for (const name of ['sip INVITE', 'call', 'ng delete'])
    await eventually(() => collector.named(name).length === 1, `the span '${name}' has come`, 30_000);

  const [call] = collector.named('call');
  assert.ok(call);
  const ofCall = collector.spans.filter(({ traceId }) => traceId === call.traceId);
  const seen = new Set(ofCall.map(({ service, name }) => `${service}: ${name}`));
  for (const wanted of [
    'sidestream-sip-edge: sip INVITE',
    'sidestream-signalling: call',
    'sidestream-signalling: grpc /sidestream.media.v1.MediaRelayService/OpenSession',
    'sidestream-media-relay: grpc OpenSession',
    'sidestream-media-relay: ng offer',
    'sidestream-media-relay: ng subscribe request',
    'sidestream-signalling: recorder INVITE',
    'sidestream-signalling: publish events.call.answered',
    'sidestream-gateway: dialer callAnswered',
    'sidestream-signalling: grpc /sidestream.media.v1.MediaRelayService/CloseSession',
    'sidestream-media-relay: ng delete',
  ])
    assert.ok(seen.has(wanted), `${wanted} is not among\n${[...seen].sort().join('\n')}`);
  // Every span hangs on one that is there too: no part of the call is told apart from it.
  const ids = new Set(ofCall.map(({ spanId }) => spanId));
  const roots = ofCall.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
  assert.deepEqual(
    roots.map(({ name }) => name),
    ['sip INVITE'],
  );
  const { callId } = stage.laboratory.bodies('callStarted')[0] ?? {};
  const { recorderCallId } = stage.laboratory.bodies('recordingStarted')[0] ?? {};
  assert.equal(call.attributes['sidestream.call_id'], callId);
  assert.equal(call.attributes['sidestream.termination.reason'], 'hangup');
  const hash = String(call.attributes['sidestream.calling.hash']);
  assert.match(hash, /^[0-9a-f]{16}$/);
  assert.ok(lines.some((line) => line.includes('"call started"') && line.includes(`"calling":"${hash}"`)));
  assert.ok(collector.bodies.every((body) => !body.includes(customerNumber.slice(1))));
  assert.equal(collector.named('recorder INVITE')[0]?.attributes['sip.call_id'], recorderCallId);
  // Neither a trunk nor a recorder hears of it.
  assert.ok(
    ['INVITE', 'BYE', 'SIP/2.0 200'].every((start) => wire.some((text) => text.startsWith(start))),
    'the wire was seen',
  );
  assert.ok(wire.some((text) => text.includes(`Call-ID: ${recorderCallId}`)));
  const told = wire.filter((text) => text.includes(call.traceId) || /traceparent|x-sidestream/i.test(text));
  assert.deepEqual(told, []);
  const logged = lines.filter((line) => line.includes(call.traceId));
  assert.ok(
    logged.some((line) => line.includes('"service":"signalling"')),
    'no log line of signalling names the trace',
  );

  await eventually(
    async () => (await stage.laboratory.metric('signalling', 'sidestream_spans_total', 'outcome="exported"')) > 5,
    'exported spans are counted',
  );
});

test('ratio 0 traces nothing, a collector that is away costs spans and no call', async (t) => {
  const collector = await TraceCollector.start(t);
  const none = await stageWith(t, collector.endpoint, 0, []);
  if (!none) return;
  await recordedCall(none);
  // A flag in a caller's trace would have the call sampled, if it were believed.
  const forged = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const headers: [string, string][] = [traceHeader, 'traceparent'].map((name) => [name, forged]);
  const call = await none.customer.call(none.uri(listedSeller.number), { headers });
  await call.answered;
  await call.hangUp();

  const lines: string[] = [];
  const away = await stageWith(t, `http://127.0.0.1:${await freeTcpPort()}/v1/traces`, 1, lines, {
    log: { parties: 'shown' },
  });
  if (!away) return;
  await recordedCall(away);
  const shown = `"calling":"sip:${customerNumber}@`;
  assert.ok(
    lines.some((line) => line.includes('"call started"') && line.includes(shown)),
    'log.parties: shown',
  );
  const lost = () => away.laboratory.metric('signalling', 'sidestream_spans_total', 'outcome="failed"');
  await eventually(async () => (await lost()) > 0, 'what is lost is counted', 30_000);
  await recordedCall(away, 2);
  const before = await lost();
  await eventually(async () => (await lost()) > before, 'more is lost', 30_000);
  const told = lines.filter((line) => line.includes('"service":"signalling"') && line.includes('can not be sent'));
  assert.equal(told.length, 1, told.join('\n'));
  assert.deepEqual(collector.spans, []);
});
