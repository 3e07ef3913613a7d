// `sidestream route explain` by its exit codes and its two forms of output.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCli } from './run-cli.js';

const directory = mkdtempSync(join(tmpdir(), 'sidestream-route-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'sidestream.yaml');
writeFileSync(join(directory, 'here'), '');
writeFileSync(
  file,
  `
nats: { servers: [nats://127.0.0.1:4222] }
regions: { eastus: { recorders: [eastus] } }
tenants:
  contoso:
    accountId: AC0123
    region: eastus
    recording: { identity: { certFile: here, keyFile: here } }
    policy: { source: file, file: here }
trunks:
  pbx:
    tenant: contoso
    side: seller
    targets: [sip:10.0.0.5]
    numbers: { defaultCountry: DE, incoming: { strip: "0" } }
    routes:
      - { called: { prefix: "+49" }, header: { name: X-Class, matches: gold }, to: gold }
      - { called: { prefix: "+49" }, to: carrier }
  carrier:
    tenant: contoso
    side: customer
    targets: [{ uri: sip:198.51.100.7, priority: 2 }, { uri: "sip:198.51.100.8;transport=tcp", priority: 1 }]
    routes: [{ to: pbx }]
    numbers: { outgoing: { format: e164 } }
  gold: { tenant: contoso, side: customer, targets: [sip:198.51.100.9], routes: [{ to: pbx }] }
signalling: {}
mediaRelay: { rtpengine: { ng: 127.0.0.1:22222 } }
`,
);

function explain(...args: string[]) {
  return runCli(['route', 'explain', '-c', file, ...args], { timeoutMs: 20_000 });
}

test('each step is told in words, and 0 says that the call has a target', async () => {
  const { code, stdout } = await explain('--trunk', 'pbx', '--called', '0030901820');
  assert.equal(code, 0);
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'call from trunk pbx, tenant contoso',
    'called 0030901820: taken as 030901820, which is +4930901820',
    'route 0 not taken: header X-Class matches gold does not hold',
    'route 1 taken: called number prefix +49; to carrier',
    'target 1 of trunk carrier: INVITE sip:+4930901820@198.51.100.8;transport=tcp (priority 1, weight 1)',
    'target 2 of trunk carrier: INVITE sip:+4930901820@198.51.100.7 (priority 2, weight 1)',
  ]);
});

test('programs get one document; a header of the call counts', async () => {
  const { code, stdout } = await explain(
    '--trunk',
    'pbx',
    '--called',
    '0030901820',
    '--header',
    'x-class: gold',
    '--json',
  );
  const { called, targets } = JSON.parse(stdout) as { called: object; targets: { uri: string }[] };
  assert.equal(code, 0);
  assert.deepEqual(called, { dialled: '030901820', international: '+4930901820', emergency: false });
  assert.deepEqual(
    targets.map(({ uri }) => uri),
    ['sip:030901820@198.51.100.9', 'sip:+4930901820@198.51.100.8;transport=tcp', 'sip:+4930901820@198.51.100.7'],
  );
});

test('a call that nothing takes is 1, an emergency call always has a target', async () => {
  const { code, stdout } = await explain('--trunk', 'pbx', '--called', '+4420');
  assert.deepEqual([code, stdout.trimEnd().split('\n').at(-1)], [1, 'nothing takes the call: the caller hears 404']);
  const help = await explain('--trunk', 'pbx', '--called', 'urn:service:sos');
  assert.equal(help.code, 0);
  assert.match(help.stdout, /INVITE sip:112@198\.51\.100\.9 /);
});

test('a trunk that is not there, and a header that is none, are 2 and say what is wrong', async () => {
  const { code, stderr } = await explain('--trunk', 'nobody', '--called', '1');
  assert.deepEqual([code, /no trunk 'nobody' \(there are: pbx, carrier, gold\)/.test(stderr)], [2, true]);
  const header = await explain('--trunk', 'pbx', '--called', '1', '--header', 'gold');
  assert.deepEqual([header.code, /must be 'Name: value'/.test(header.stderr)], [2, true]);
});
