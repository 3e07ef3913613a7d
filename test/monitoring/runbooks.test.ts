// What a runbook tells somebody to type at three in the morning can be typed: each command is tried, each word is looked up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { repository, runbookQueries } from './alert-files.js';
import { CommandLine } from './command-line.js';
import { metricNames } from './dashboard-files.js';
import { chartNames, isKey, keyPaths, metricsOfThePage, severities, sources } from './known-words.js';
import { codeSpans, commandsOf, filledIn, placeholders, runbooks, shellLines } from './runbook-text.js';

test('each command of sidestream in the runbooks is one that the command line takes', async () => {
  const typed = shellLines().flatMap(({ text }) => commandsOf(text));
  const named = codeSpans().map(({ text }) => (/ -c /.test(text) ? text : `${text} -c sidestream.yaml`));
  const own = [...typed, ...named].filter((command) => /^sidestream [a-z]/.test(command));
  assert.ok(own.length > 25, `${own.length} commands`);
  const line = await CommandLine.read();
  const refused = async (commands: readonly string[]) => {
    const refusals: (string | undefined)[] = [];
    // One after the other: the parser keeps what it has read.
    for (const command of commands) refusals.push(await line.refusal(filledIn(command).split(' ').slice(1)));
    return refusals.filter((one) => one !== undefined);
  };
  assert.deepEqual(await refused(own), []);
  const wrong = ['calls lst', 'calls list --sinse 1h', 'calls list --since yesterday', 'calls show', 'drain --undo=s1'];
  const noticed = await refused([
    ...wrong.map((words) => `sidestream ${words} -c sidestream.yaml`),
    'sidestream drain',
  ]);
  assert.equal(noticed.length, wrong.length + 1, noticed.join('\n'));
});

test('every line is shell, of programs that operators have, and asks for components and containers of the chart', async (t) => {
  const programs = ['sidestream', 'kubectl', 'grep', 'curl', 'openssl', 'nats'];
  const chart = chartNames();
  for (const { page, text } of shellLines()) {
    const { status, stderr } = spawnSync('sh', ['-n', '-c', text], { encoding: 'utf8' });
    assert.equal(status, 0, `${page}: ${text}: ${stderr}`);
    for (const command of commandsOf(text)) {
      const [program = ''] = command.split(' ');
      assert.ok(programs.includes(program), `${page}: ${program}`);
      const [, component] = /component=([a-z-]+)/.exec(command) ?? [];
      if (component !== undefined) assert.match(chart, new RegExp(`"component" "${component}"`), `${page}: ${command}`);
      const [, container] = (program === 'kubectl' && / -c (\S+)/.exec(command)) || [];
      if (container !== undefined && container !== 'signalling')
        assert.match(chart, new RegExp(`- name: ${container}$`, 'm'), `${page}: ${command}`);
    }
  }

  const authority = await createAuthority('Runbooks');
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  await folder.write(await authority.issue({ commonName: 'relay', dnsNames: ['relay'] }), 'tls');
  const tried = shellLines().filter(({ text }) => /^openssl (?!s_client)/.test(text));
  assert.ok(tried.length >= 3);
  for (const { page, text } of tried) {
    const { status, stderr } = spawnSync('sh', ['-ec', filledIn(text)], {
      encoding: 'utf8',
      cwd: join(folder.directory, 'tls'),
    });
    assert.equal(status, 0, `${page}: ${text}: ${stderr}`);
  }
});

test('each metric that a runbook asks for is in docs/metrics.md', () => {
  const known = metricsOfThePage();
  const asked = runbooks().flatMap(({ page, text }) =>
    runbookQueries(text)
      .flatMap(metricNames)
      .map((name) => ({ page, name })),
  );
  assert.ok(asked.length > 40, `${asked.length}`);
  const unknown = asked.filter(({ name }) => !known.has(name) && !ofPrometheus.has(name));
  assert.deepEqual(unknown, []);
});

const ofPrometheus = new Set(['up']);

test('each word in the font of code is something that there is: a key, a metric, a value, a flag, a file, a command', () => {
  const paths = keyPaths();
  const metrics = metricsOfThePage();
  const levels = severities();
  const code = sources();
  const chart = chartNames();
  const has = (text: string) => code.includes(`'${text}'`) || code.includes(`"${text}"`);
  const isKnown = (word: string): boolean => {
    const [key = '', value] = word.split(': ');
    if (value !== undefined) return isKey(paths, key) && has(value);
    return (
      word in placeholders ||
      isKey(paths, word) ||
      metrics.has(word) ||
      levels.has(word) ||
      // Values of labels are told as they are written, those of results by the names of an enumeration.
      has(word) ||
      code.includes(`Result.${word.toUpperCase()}`) ||
      (word.startsWith('--') && (code.includes(`${word}`) || chart.includes(`- ${word}`))) ||
      (/^[\w-]+(\/[\w.-]+)+$/.test(word) && existsSync(join(repository, word))) ||
      (word.endsWith('.creds') && chart.includes(word)) ||
      // Commands of sidestream are tried above; what else is named is a program's.
      /^(sidestream|kubectl|helm|nats|npm run)( |$)/.test(word)
    );
  };
  const spans = codeSpans();
  assert.ok(spans.length > 100);
  assert.deepEqual(
    spans.filter(({ text }) => !isKnown(text)),
    [],
  );
  for (const wrong of ['signalling.maxcalls', 'mode: required-ish', 'no-such-reason', '--undone', 'docs/runbook.md'])
    assert.ok(!isKnown(wrong), wrong);
});
