// `sidestream test-call` as an operator and `helm test` run it: a process between a deployment's two trunks, with a verdict.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { customerHost, Laboratory, listedSeller, sellerHost, unlistedSeller } from '@sidestream/cli';
import { freeTcpPort, freeUdpPort, reasonToSkip, startNats, startRtpengine } from '@sidestream/peers';
import { byeAfter, PartySimulator, RecorderStatus, rejectWith } from '@sidestream/simulators';
import { z } from 'zod';
import { type CliRun, runCli } from './run-cli.js';

const timeoutMs = 60_000;

const arrived = z.strictObject({
  packets: z.int(),
  lost: z.literal(0),
  foreign: z.literal(0),
  startsAfterMs: z.number().max(3_000),
});
const report = z.object({
  ok: z.boolean(),
  options: z.object({ status: z.int() }).nullable(),
  call: z.object({ sipCallId: z.string(), talkMs: z.number() }).nullable(),
  voices: z.array(
    z.strictObject({
      party: z.string(),
      sent: z.int().min(100),
      heard: arrived,
      recorded: arrived.extend({ label: z.string() }).nullable(),
    }),
  ),
  recording: z.object({ callId: z.string(), findings: z.array(z.string()) }).nullable(),
  record: z
    .object({ verdict: z.string(), packets: z.array(z.object({ party: z.string(), copied: z.int() })) })
    .nullable(),
  faults: z.array(z.string()),
});

/** A deployment whose seller is called at a port where nobody is but while a test call is on. */
async function deployment(t: TestContext) {
  const missing = await reasonToSkip([startNats, startRtpengine]);
  if (missing !== undefined) return void t.skip(missing);
  const answer = `${sellerHost}:${await freeUdpPort(sellerHost)}`;
  const laboratory = await Laboratory.start({ customerTarget: `${customerHost}:5060`, sellerTarget: answer });
  t.after(() => laboratory.stop());
  const status = await RecorderStatus.start(laboratory.recorder);
  t.after(() => status.close());
  const run = (number: string, ...more: string[]): Promise<CliRun> => {
    const ways = ['--recorder-status', status.origin, '-c', laboratory.configFile];
    const uri = `sip:${number}@${laboratory.sipAddress('udp')}`;
    return runCli(['test-call', uri, '--listen', customerHost, '--answer', `udp:${answer}`, ...ways, ...more], {
      timeoutMs,
    });
  };
  return { laboratory, answer, run };
}

test('a test call proves packet for packet that both voices were put through and recorded, by the recorder and by the record', async (t) => {
  const stage = await deployment(t);
  if (!stage) return;
  const { code, stdout, stderr } = await stage.run(listedSeller.number, '--json', '--seconds', '4');
  assert.equal(code, 0, stdout + stderr);
  const { ok, options, voices, recording, record, faults } = report.parse(JSON.parse(stdout));
  assert.deepEqual([ok, options?.status, faults, recording?.findings], [true, 200, [], []]);
  assert.deepEqual(
    voices.map(({ party, recorded }) => [party, recorded?.label]),
    [
      ['caller', 'inbound'],
      ['called', 'outbound'],
    ],
  );
  for (const { recorded } of voices) assert.ok((recorded?.packets ?? 0) > 100, JSON.stringify(recorded));
  assert.equal(record?.verdict, 'complete');
  for (const { copied } of record?.packets ?? []) assert.ok(copied > 100);

  const people = await stage.run(listedSeller.number, '--seconds', '3');
  assert.equal(people.code, 0, people.stdout + people.stderr);
  assert.match(people.stdout, /^OPTIONS +200 OK/);
  assert.match(people.stdout, /recorder, inbound: \d+ from \d+ ms on, 0 lost, 0 foreign/);
  assert.match(people.stdout, /PASSED: the call was put through and both voices were recorded\n$/);
});

test('a test call fails, and says why: no recording, half of one, another target, a stranger, a drain', async (t) => {
  const stage = await deployment(t);
  if (!stage) return;
  const { laboratory, answer, run } = stage;
  const { recorder } = laboratory;
  const says = async (pattern: RegExp, ...args: [string, ...string[]]) => {
    const { code, stdout, stderr } = await run(...args, '--seconds', '1');
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout, pattern);
    assert.match(stdout, /FAILED: \d+ faults?\n$/);
  };
  recorder.behaviour = byeAfter(500);
  await says(/the deployment says: recorded in part/, listedSeller.number);
  recorder.behaviour = rejectWith(486);
  await says(/the deployment says: not recorded, although it should have been: .*486/, listedSeller.number);
  await says(/the deployment says: not recorded: the policy does not name the seller/, unlistedSeller.number);
  await says(
    /nobody is there, or no trunk has 127\.0\.0\.9 among its 'peers'/,
    listedSeller.number,
    '--listen',
    '127.0.0.9',
  );
  const [host = '', port] = answer.split(':');
  const uri = `sip:${listedSeller.number}@${host}`;
  const somebody = await PartySimulator.start({
    name: 'x',
    uri,
    listen: { protocol: 'udp', host, port: Number(port) },
  });
  t.after(() => somebody.close());
  const elsewhere = `udp:${sellerHost}:${await freeUdpPort(sellerHost)}`;
  await says(/was answered, but not by 127\.0\.0\.3:\d+: no target/, listedSeller.number, '--answer', elsewhere);
  const drained = await runCli(['drain', '-c', laboratory.configFile], { timeoutMs });
  assert.equal(drained.code, 0, drained.stderr);
  await says(/OPTIONS hears 503/, listedSeller.number);
});

test('what a test call needs and does not get is told at once: who knows the recording, an address, a configuration', async () => {
  const host = '127.0.0.1';
  const uri = `sip:100@${host}:${await freeTcpPort(host)};transport=tcp`;
  const cases: [RegExp, number, string[]][] = [
    [/--recorder-status or --config is needed/, 2, [uri]],
    [/it must be sip:number@host:port/, 2, [`sip:${host}`, '--recorder-status', 'http://127.0.0.1:1']],
    [
      /--answer nowhere: it must be udp:host:port/,
      2,
      [uri, '--answer', 'nowhere', '--recorder-status', 'http://127.0.0.1:1'],
    ],
    [/it must be http:/, 2, [uri, '--recorder-status', 'recorder']],
    [/nowhere\.yaml/, 2, [uri, '-c', '/nowhere.yaml']],
    [/FAULT +.*ECONNREFUSED/, 1, [uri, '--recorder-status', 'http://127.0.0.1:1']],
  ];
  for (const [pattern, expected, args] of cases) {
    const { code, stdout, stderr } = await runCli(['test-call', ...args], { timeoutMs });
    assert.match(stdout + stderr, pattern);
    assert.equal(code, expected, args.join(' '));
  }
});
