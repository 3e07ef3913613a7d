// `sidestream recorder` as integrators run it: a process of its own, told by flags, heard by its output and its files.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { accountId } from '@sidestream/cli';
import { eventually, freeTcpPort } from '@sidestream/peers';
import { sessionsAnswer } from '@sidestream/simulators';
import { z } from 'zod';
import { runCli, spawnCli } from './run-cli.js';
import { Stage } from './stage.js';

const line = z.looseObject({
  ready: z.boolean().optional(),
  addresses: z.object({ status: z.string() }).optional(),
  event: z.enum(['session', 'finding', 'refused', 'ended']).optional(),
  directory: z.string().optional(),
  findings: z.int().optional(),
  streams: z
    .array(z.looseObject({ label: z.string(), received: z.int(), lost: z.int(), authFailures: z.int() }))
    .optional(),
});

test('sidestream recorder records a call, tells its life in JSON lines and stops on SIGTERM', async (t) => {
  const port = await freeTcpPort('127.0.0.1');
  const stage = await Stage.start(t, {
    recorder: false,
    configure: (config) => {
      config.regions = { local: { recorders: [`sip:SRS@localhost:${port};transport=tls`] } };
    },
  });
  if (!stage) return;
  const keys = dirname(stage.laboratory.configFile);
  const child = spawnCli([
    'recorder',
    ...[
      '--status',
      '127.0.0.1:0',
      '--listen',
      `127.0.0.1:${port}`,
      '--account',
      accountId,
      '--out',
      join(keys, 'recordings'),
    ],
    ...['--cert', join(keys, 'recorder.crt'), '--key', join(keys, 'recorder.key'), '--trust', join(keys, 'ca.crt')],
  ]);
  t.after(() => child.kill('SIGKILL'));
  const lines: z.output<typeof line>[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => lines.push(line.parse(JSON.parse(text))));
  await eventually(() => lines.some(({ ready }) => ready === true), 'the recorder is ready');

  const call = await stage.inbound();
  await eventually(() => lines.some(({ event }) => event === 'session'), 'the session is told');
  // A session is told when the recorder answers; the fork flows a few packets later, and 100 have to be in each file.
  await stage.talk(call, 120);
  await call.seller.hangUp();
  await call.customer.ended;
  await eventually(() => lines.some(({ event }) => event === 'ended'), 'the end is told');
  const ended = lines.find(({ event }) => event === 'ended');
  assert.equal(ended?.findings, 0, JSON.stringify(lines));
  assert.deepEqual(
    ended?.streams?.map(({ label, lost, authFailures }) => ({ label, lost, authFailures })),
    [
      { label: 'inbound', lost: 0, authFailures: 0 },
      { label: 'outbound', lost: 0, authFailures: 0 },
    ],
  );
  const status = lines.find(({ ready }) => ready)?.addresses?.status;
  const answer = await fetch(`${status}/sessions`, { signal: AbortSignal.timeout(5_000) });
  const [session] = sessionsAnswer.parse(await answer.json()).sessions;
  assert.ok(session?.endedAt && session.streams.every(({ received, lost }) => received >= 100 && lost === 0));
  const directory = lines.find(({ event }) => event === 'session')?.directory;
  assert.ok(directory);
  for (const file of ['inbound.wav', 'outbound.wav']) assert.ok(statSync(join(directory, file)).size > 16_000);
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
});

test('sidestream recorder with a certificate that is not there says which file, exit code 1', async () => {
  const args = [
    'recorder',
    '--cert',
    '/nonexistent/a.crt',
    '--key',
    '/nonexistent/a.key',
    '--trust',
    '/nonexistent/ca',
  ];
  const run = await runCli(args, { timeoutMs: 20_000 });
  assert.equal(run.code, 1);
  assert.match(run.stderr, /nonexistent/);
});
