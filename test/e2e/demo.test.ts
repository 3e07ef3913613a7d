// The main job, as a user runs it: `sidestream demo --json`, read by nothing but its output and its files.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, reasonToSkip, startNats, startRtpengine } from '@sidestream/peers';
import { z } from 'zod';
import { childrenOf, isRunning, runCli, spawnCli } from './run-cli.js';

const termination = z.strictObject({ result: z.string().min(1), reason: z.string().min(1) });

/** The document that users and other programs rely on. */
const proof = z.strictObject({
  ok: z.literal(true),
  provider: z.strictObject({
    registration: z.strictObject({ outcome: z.literal('registered'), contentHash: z.string().regex(/^[0-9a-f]{64}$/) }),
    policy: z.strictObject({ revision: z.string().regex(/^[0-9a-f]{12}$/), users: z.literal(1) }),
  }),
  calls: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        direction: z.enum(['inbound', 'outbound']),
        seller: z.string(),
        recorded: z.boolean(),
        reason: z.string().min(1),
        postDialDelayMs: z.number().min(0),
        recorder: z
          .strictObject({
            host: z.string().min(1),
            tlsVersion: z.enum(['TLSv1.2', 'TLSv1.3']),
            clientCertificateSubject: z.string().min(1),
            callId: z.string().regex(/^[0-9a-f]{32}$/),
          })
          .nullable(),
        streams: z.array(
          z.strictObject({
            label: z.enum(['inbound', 'outbound']),
            party: z.enum(['customer', 'seller']),
            packetsSent: z.int().min(200),
            packetsReceived: z.int(),
            lost: z.literal(0),
            authFailures: z.literal(0),
            identical: z.literal(true),
          }),
        ),
        termination,
        recordingTermination: termination.nullable(),
      }),
    )
    .length(3),
  orphans: z.strictObject({ dialogs: z.literal(0), mediaSessions: z.literal(0), recordings: z.literal(0) }),
});

/** As Prometheus' file_sd_configs reads it. */
const targetFile = z.array(
  z.strictObject({
    targets: z.tuple([z.string().regex(/^127\.0\.0\.1:\d+$/)]),
    labels: z.strictObject({ job: z.string(), __metrics_path__: z.literal('/metrics/rtpengine').optional() }),
  }),
);

const lintDocument = z.object({ findings: z.array(z.object({ name: z.string(), clause: z.string().min(1) })) });

test('sidestream demo --json proves three calls on real parts and leaves the recordings', async (t) => {
  const missing = await reasonToSkip([startNats, startRtpengine]);
  if (missing) return t.skip(missing);
  const out = mkdtempSync(join(tmpdir(), 'sidestream-demo-'));
  t.after(() => rmSync(out, { recursive: true, force: true }));
  const targets = join(out, 'prometheus', 'targets.json');
  const run = await runCli(['demo', '--json', '--out', out, '--targets', targets], { timeoutMs: 60_000 });
  assert.equal(run.code, 0, `exit code ${run.code}\n${run.stdout}\n${run.stderr}`);
  const document = proof.parse(JSON.parse(run.stdout));

  const scraped = targetFile.parse(JSON.parse(readFileSync(targets, 'utf8')));
  assert.deepEqual(scraped.map(({ labels }) => labels.job).sort(), [
    'media-relay',
    'policy-sync',
    'registration',
    'rtpengine',
    'signalling',
    'sip-edge',
  ]);

  const recorded = document.calls.filter((call) => call.recorded);
  assert.deepEqual(recorded.map((call) => call.direction).sort(), ['inbound', 'outbound']);
  assert.equal(new Set(recorded.map((call) => call.recorder?.callId)).size, 2);
  for (const call of recorded) {
    assert.deepEqual(
      call.streams.map(({ label, party }) => [label, party]),
      [
        ['inbound', 'customer'],
        ['outbound', 'seller'],
      ],
    );
    for (const stream of call.streams) assert.ok(stream.packetsReceived >= stream.packetsSent);
    assert.ok(call.recordingTermination);
    for (const file of ['inbound.wav', 'outbound.wav', 'invite.sip', 'bye.sip', 'metadata.xml']) {
      assert.ok(statSync(join(out, call.id, file)).size > 100, `${call.id}/${file}`);
    }
    const invite = readFileSync(join(out, call.id, 'invite.sip'), 'utf8');
    assert.match(invite, new RegExp(`^Call-ID: ${call.recorder?.callId}\\r$`, 'm'));
    assert.doesNotMatch(invite, /inline:[A-Za-z0-9+/]{20}/, 'no key is left on disk');
    for (const file of ['invite.sip', 'bye.sip']) {
      const lint = await runCli(['lint', join(out, call.id, file)], { timeoutMs: 10_000 });
      assert.match(lint.stdout, /^clean: /, `${call.id}/${file}`);
      assert.equal(lint.code, 0);
    }
  }
  await lintFindsWhatIsBroken(join(out, recorded[0]?.id ?? '', 'invite.sip'));
  const other = document.calls.find((call) => !call.recorded);
  assert.equal(other?.reason, 'not-listed');
  assert.equal(other?.streams.length, 0);
  assert.equal(other?.recorder, null);
});

/** Each of three mistakes in a clean INVITE is found under its name. */
async function lintFindsWhatIsBroken(file: string): Promise<void> {
  const clean = readFileSync(file, 'utf8');
  const broken = {
    'require-siprec': clean.replace('Require: siprec\r\n', ''),
    'stream-label': clean.replace('a=label:inbound', 'a=label:sideway'),
    'metadata-attribute-missing': clean.replace(/session_id="[^"]*"/, (attribute) => ' '.repeat(attribute.length)),
  };
  for (const [name, text] of Object.entries(broken)) {
    writeFileSync(file, text);
    const lint = await runCli(['lint', '--json', file], { timeoutMs: 10_000 });
    assert.equal(lint.code, 1, lint.stdout);
    const { findings } = lintDocument.parse(JSON.parse(lint.stdout));
    const found = findings.map((finding) => finding.name);
    assert.ok(found.includes(name), `${name} is not among ${found.join(', ')}`);
  }
}

test('an interrupted demo ends at once, with exit code 130 and nothing left running', async (t) => {
  const missing = await reasonToSkip([startNats, startRtpengine]);
  if (missing) return t.skip(missing);
  const out = mkdtempSync(join(tmpdir(), 'sidestream-demo-'));
  t.after(() => rmSync(out, { recursive: true, force: true }));
  const child = spawnCli(['demo', '--out', out]);
  t.after(() => child.kill('SIGKILL'));
  child.stdout.resume();
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text;
  });
  await eventually(() => stderr.includes('call inbound-listed'), 'the first call', 30_000);
  assert.ok(child.pid);
  const started = childrenOf(child.pid);
  assert.ok(started.length >= 5, 'three services, nats-server and rtpengine');
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  assert.equal(code, 130);
  assert.deepEqual(started.filter(isRunning), []);
});
