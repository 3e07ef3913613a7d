// `sidestream policy explain` of a tenant whose policy is a file: signalling alone has it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedSeller } from '@sidestream/cli';
import { runCli } from './run-cli.js';
import { Stage } from './stage.js';

test('explain of a policy from a file is answered by signalling', async (t) => {
  const stage = await Stage.start(t);
  if (stage === undefined) return;
  const { configFile } = stage.laboratory;
  const policy = (...args: string[]) => runCli(['policy', ...args, '--config', configFile], { timeoutMs: 30_000 });
  const listed = await policy('explain', listedSeller.number);
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /^Recorded: .* in policy \w+ of contoso; recorders: /);
  const unlisted = await policy('explain', '+4915112345678', '--json');
  assert.equal(JSON.parse(unlisted.stdout).reason, 'not-listed', unlisted.stderr);
  const unknown = await policy('explain', listedSeller.number, '--tenant', 'nobody');
  const configured = "sidestream: no tenant 'nobody' is configured: one of contoso\n";
  assert.deepEqual([unknown.code, unknown.stderr], [2, configured]);
  const nobody = await policy('explain', listedSeller.number, '--address', '127.0.0.1:1');
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /signalling at 127\.0\.0\.1:1 can't be reached/);
  const status = await policy('status', '--tenant', 'contoso');
  assert.match(status.stderr, /no tenant has policy\.source provider/);
});
