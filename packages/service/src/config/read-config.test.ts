import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ConfigError } from './config-error.js';
import type { ServiceName } from './needed-files.js';
import { readConfig } from './read-config.js';
import { readServiceConfig } from './read-service-config.js';

const directory = mkdtempSync(join(tmpdir(), 'sidestream-config-'));
after(() => rmSync(directory, { recursive: true }));
for (const name of ['cert.pem', 'key.pem', 'ca.pem', 'policy.yaml']) writeFileSync(join(directory, name), '');

const good = `
nats: { servers: [nats://127.0.0.1:4222] }
regions: { eastus: { recorders: [eastus] } }
tenants:
  contoso:
    accountId: AC0123
    region: eastus
    recording: { identity: { certFile: cert.pem, keyFile: key.pem } }
    policy: { source: file, file: policy.yaml }
trunks:
  carrier: { tenant: contoso, side: customer, peers: [203.0.113.0/24], routes: [{ to: pbx }] }
  pbx: { tenant: contoso, side: seller, targets: [sip:10.0.0.5:5060], routes: [{ to: carrier-out }] }
  carrier-out: { tenant: contoso, side: customer, targets: ['sip:203.0.113.9:5060;transport=tcp'], routes: [{ to: pbx }] }
signalling: { listen: [udp:127.0.0.1:0, tcp:127.0.0.1:0] }
mediaRelay: { rtpengine: { ng: 127.0.0.1:22222 } }
`;

function read(text: string) {
  const file = join(directory, 'sidestream.yaml');
  writeFileSync(file, text);
  return readConfig(file);
}

function problemsOf(text: string): Record<string, string> {
  try {
    read(text);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
  }
  return {};
}

describe('readServiceConfig', () => {
  test('a pod that may say what its end costs knows its place in the Kubernetes API, by TLS', () => {
    const file = join(directory, 'sidestream.yaml');
    writeFileSync(file, good);
    const read = (environment: object) =>
      readServiceConfig({ SIDESTREAM_CONFIG: file, ...environment }, 'signalling', () => 's').pod;
    const url = 'https://kubernetes.default.svc/api/v1/namespaces/voice/pods/sip-7d9f8b6c5d-x2x9z';
    const place = { SIDESTREAM_POD_URL: url, SIDESTREAM_POD_CREDENTIALS: '/run/pod' };
    assert.equal(read({}), undefined);
    assert.deepEqual(read(place), { url, credentials: '/run/pod' });
    for (const wrong of [url.replace('https', 'http'), `${url}/status`, ''])
      assert.throws(() => read({ ...place, SIDESTREAM_POD_URL: wrong }), /SIDESTREAM_POD_URL: must be https:/);
    assert.throws(() => read({ SIDESTREAM_POD_URL: url }), /SIDESTREAM_POD_CREDENTIALS: names no folder/);
  });

  test('SIDESTREAM_ADVERTISE is where others reach this process, whatever the shared file says', () => {
    const file = join(directory, 'sidestream.yaml');
    writeFileSync(file, good);
    const environment = { SIDESTREAM_CONFIG: file, SIDESTREAM_INSTANCE: 'pod-1', SIDESTREAM_ADVERTISE: '10.1.2.3' };
    const { config, instance } = readServiceConfig(environment, 'media-relay', () => undefined);
    assert.equal(instance, 'pod-1');
    const { signalling, mediaRelay, policySync, registration } = config;
    const told = [signalling.grpcAdvertise, mediaRelay.advertise, policySync.advertise, registration.advertise];
    assert.deepEqual(told, Array(4).fill('10.1.2.3'));
    assert.equal(signalling.advertise, undefined, 'the address of SIP is the edge’s');
  });

  test('who is reached by IPv6 doesn’t listen on IPv4 alone', () => {
    const file = join(directory, 'sidestream.yaml');
    writeFileSync(
      file,
      good
        .replace('mediaRelay: { ', 'mediaRelay: { listen: 0.0.0.0:9102, ')
        .replace('signalling: {', 'signalling: { grpcListen: 0.0.0.0:9101,')
        .concat(
          'grpc: { tls: { certFile: cert.pem, keyFile: key.pem, caFile: cert.pem } }\n',
          'management: { listen: 0.0.0.0:9091 }\npolicySync: { listen: 0.0.0.0:9103 }\nregistration: { listen: 127.0.0.1:9104 }\n',
          'gateway: { listen: 0.0.0.0:8080, tls: { certFile: cert.pem, keyFile: key.pem }, issuers: [{ tenant: contoso, issuer: "https://login.example", audience: a }] }\n',
        ),
    );
    const of = (address: string) => {
      const environment = { SIDESTREAM_CONFIG: file, SIDESTREAM_ADVERTISE: address };
      const { config } = readServiceConfig(environment, 'sip-edge', () => 'pod-1');
      const { signalling, mediaRelay, policySync, registration, gateway, management } = config;
      const services = [mediaRelay, policySync, registration, gateway, management].map((one) => one?.listen);
      return [signalling.grpcListen, ...services];
    };
    const [own, all] = ['127.0.0.1:9104', (host: string) => [9101, 9102, 9103, 8080, 9091].map((p) => `${host}:${p}`)];
    assert.deepEqual(of('10.1.2.3'), all('0.0.0.0').toSpliced(3, 0, own));
    assert.deepEqual(of('fd00::7'), all('[::]').toSpliced(3, 0, own));
  });
});

describe('files that a service reads must be there, and no others', () => {
  const file = join(directory, 'sidestream.yaml');
  const missing = (service: ServiceName): string[] => {
    try {
      readServiceConfig({ SIDESTREAM_CONFIG: file }, service, () => 's');
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.problems.map(({ path }) => path);
    }
    return [];
  };
  const absent = `
nats:
  servers: [tls://nats.example]
  tls: { certFile: no, keyFile: no, caFile: no }
  credentialsFile: no
grpc: { tls: { certFile: no, keyFile: no, caFile: no } }
telemetry: { traces: { endpoint: 'http://127.0.0.1', headersFile: no, caFile: no } }
regions: { eastus: { recorders: [eastus] } }
tenants:
  contoso:
    organizationId: ad3dca46-962a-4895-9f85-d25f3828781f
    accountId: AC0123
    region: eastus
    recording: { identity: { certFile: no, keyFile: no }, trustFile: no }
    policy: { source: provider, identitiesFile: no }
    provider:
      { entraTenantId: contoso.example, clientId: 11111111-1111-4111-8111-111111111111, clientSecretFile: no, trustFile: no, bodyTemplateFile: no }
  fabrikam:
    accountId: AC0124
    region: eastus
    recording: { identity: { certFile: no, keyFile: no } }
    policy: { source: file, file: no }
trunks:
  pbx: { tenant: contoso, side: seller, targets: [sip:10.0.0.5], credentials: { username: a, passwordFile: no }, routes: [{ to: pbx }] }
signalling: { edgeSecretFile: no }
mediaRelay: { rtpengine: { ng: 127.0.0.1:22222 } }
gateway:
  tls: { certFile: no, keyFile: no }
  issuers: [{ tenant: contoso, issuer: https://login.example, audience: a, trustFile: no }]
`;
  const links = [
    'nats.credentialsFile',
    'nats.tls',
    'grpc.tls',
    'telemetry.traces.caFile',
    'telemetry.traces.headersFile',
  ];
  const identities = ['tenants.contoso.recording.identity', 'tenants.fabrikam.recording.identity'];
  const provider = ['clientSecretFile', 'trustFile'].map((key) => `tenants.contoso.provider.${key}`);
  for (const [service, own] of [
    ['media-relay', []],
    ['sip-edge', ['signalling.edgeSecretFile']],
    [
      'signalling',
      [
        'signalling.edgeSecretFile',
        'trunks.pbx.credentials.passwordFile',
        ...identities,
        'tenants.contoso.recording.trustFile',
        'tenants.fabrikam.policy.file',
      ],
    ],
    ['policy-sync', [...provider, 'tenants.contoso.policy.identitiesFile']],
    ['registration', [...provider, 'tenants.contoso.provider.bodyTemplateFile', ...identities]],
    ['gateway', ['gateway.tls', 'gateway.issuers.0.trustFile']],
  ] as const) {
    test(service, () => {
      writeFileSync(file, absent);
      const keys = new Set(
        missing(service).map((path) =>
          path.replace(/\.(cert|key|ca)File$/, (end) => (path.includes('traces') ? end : '')),
        ),
      );
      // The edge has no link to others but that to the collector.
      const shared = links.filter((key) => service !== 'sip-edge' || key.startsWith('telemetry.'));
      assert.deepEqual([...keys].sort(), [...shared, ...own].sort());
    });
  }
});

test('a file of one deployment names a certificate and a NATS user for each who reads it', () => {
  const file = join(directory, 'sidestream.yaml');
  for (const name of ['gateway.crt', 'gateway.key', 'gateway.creds']) writeFileSync(join(directory, name), '');
  const tls = "{ certFile: '{service}.crt', keyFile: '{service}.key', caFile: ca.pem }";
  const servers = 'servers: [nats://127.0.0.1:4222]';
  const own = good.replace(servers, `credentialsFile: '{service}.creds', ${servers}`);
  writeFileSync(file, `${own}grpc: { tls: ${tls} }\n`);
  const { config } = readServiceConfig({ SIDESTREAM_CONFIG: file }, 'gateway', () => 'g');
  assert.deepEqual(config.grpc.tls, {
    certFile: join(directory, 'gateway.crt'),
    keyFile: join(directory, 'gateway.key'),
    caFile: join(directory, 'ca.pem'),
  });
  assert.equal(config.nats.credentialsFile, join(directory, 'gateway.creds'));
  assert.throws(() => readConfig(file), /grpc\.tls\.certFile: no readable file 'cli\.crt'/);
});

describe('readConfig', () => {
  test('applies defaults and makes file names absolute', () => {
    const config = read(good);
    const tenant = config.tenants['contoso'];
    assert.equal(tenant?.recording.mode, 'best-effort');
    assert.equal(tenant?.recording.provisionalTimeoutMs, 1_500);
    assert.equal(tenant?.recording.identity.certFile, join(directory, 'cert.pem'));
    assert.equal(config.signalling.edge, 'embedded');
    assert.equal(config.log.level, 'info');
  });

  test('recorders are an ordered list in which a list stands for equals and an entry may have a cap', () => {
    const list = '[eastus, [sip:a.example, { uri: sip:b.example, maxSessions: 200 }], { uri: global, maxSessions: 5 }]';
    const config = read(good.replace('recorders: [eastus]', `recorders: ${list}`));
    assert.deepEqual(config.regions['eastus']?.recorders, [
      { recorder: 'eastus', place: 0 },
      { recorder: 'sip:a.example', place: 1 },
      { recorder: 'sip:b.example', place: 1, maxSessions: 200 },
      { recorder: 'global', place: 2, maxSessions: 5 },
    ]);
    for (const [list, path, message] of [
      ['[eastus, [sip:a.example, eastus]]', 'regions.eastus.recorders', /names a recorder twice/],
      ['[East US]', 'regions.eastus.recorders.0', /must be the name of a documented endpoint/],
      ['[[]]', 'regions.eastus.recorders.0', />=1 items/],
      ['[5]', 'regions.eastus.recorders.0', /must be a recorder, /],
      ['[{ uri: eastus, maxSessions: 0 }]', 'regions.eastus.recorders.0.maxSessions', />=1/],
    ] as const) {
      const problems = problemsOf(good.replace('recorders: [eastus]', `recorders: ${list}`));
      assert.match(problems[path] ?? '', message, list);
    }
  });

  test('three errors are told at once, each with the path of its key', () => {
    const bad = good
      .replace('203.0.113.0/24', '203.0.113.0/40')
      .replace('region: eastus', 'region: mars')
      .replace('ng: 127.0.0.1:22222', 'ng: nowhere');
    const problems = problemsOf(bad);
    assert.deepEqual(Object.keys(problems).sort(), [
      'mediaRelay.rtpengine.ng',
      'tenants.contoso.region',
      'trunks.carrier.peers.0',
    ]);
    assert.match(problems['tenants.contoso.region'] ?? '', /no region 'mars' \(there are: eastus\)/);
  });

  test('the message of the error lists file and problems for people', () => {
    assert.throws(
      () => read(good.replace('accountId: AC0123', 'acountId: AC0123')),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /sidestream\.yaml: 2 problems/);
        assert.match(error.message, /tenants\.contoso\.acountId: unknown key/);
        assert.match(error.message, /tenants\.contoso\.accountId: /);
        return true;
      },
    );
  });

  test('the account id is needed by profile dynamics365 and by no other', () => {
    const without = good.replace('    accountId: AC0123\n', '');
    assert.deepEqual(problemsOf(without), { 'tenants.contoso.accountId': 'is needed by profile dynamics365' });
    assert.deepEqual(problemsOf(without.replace('recording: {', 'recording: { profile: rfc7866,')), {});
  });

  test('a missing file, broken YAML and a list at the top are one clear error each', () => {
    assert.throws(() => readConfig(join(directory, 'absent.yaml')), /can't be read/);
    assert.throws(() => read('nats: [1'), ConfigError);
    assert.throws(() => read('- 1'), ConfigError);
  });

  test('files that can not be read are named', () => {
    assert.deepEqual(problemsOf(good.replace('cert.pem', 'gone.pem')), {
      'tenants.contoso.recording.identity.certFile': "no readable file 'gone.pem'",
    });
  });

  test('a route must lead to a trunk of the same tenant that has targets', () => {
    const path = 'trunks.pbx.routes.0.to';
    assert.match(problemsOf(good.replace('to: carrier-out', 'to: nobody'))[path] ?? '', /no trunk 'nobody'/);
    assert.match(problemsOf(good.replace('to: carrier-out', 'to: carrier'))[path] ?? '', /has no targets/);
  });

  test('each trunk of a list of a route is checked, and targets and routes may be as simple as ever', () => {
    const list = good.replace('routes: [{ to: carrier-out }]', 'routes: [{ to: [carrier-out, nobody, carrier] }]');
    const problems = problemsOf(list);
    assert.deepEqual(Object.keys(problems), ['trunks.pbx.routes.0.to.1', 'trunks.pbx.routes.0.to.2']);
    const { pbx } = read(good).trunks;
    assert.deepEqual(pbx?.targets, [{ uri: 'sip:10.0.0.5:5060', priority: 0, weight: 1 }]);
    assert.deepEqual(pbx?.routes, [{ to: ['carrier-out'] }]);
    assert.deepEqual(pbx?.numbers, { incoming: { strip: '', prefix: '' }, outgoing: { format: 'as-is', prefix: '' } });
  });

  test('targets, routes and numbers that cannot be used are told with the paths of their keys', () => {
    const carrier = (text: string) =>
      problemsOf(good.replace('peers: [203.0.113.0/24],', `peers: [203.0.113.0/24], ${text},`));
    const route = (text: string) => problemsOf(good.replace('routes: [{ to: pbx }]', `routes: [{ ${text}, to: pbx }]`));
    for (const [problems, path, message] of [
      [carrier('targets: [{ uri: sip:a, weight: -1 }]'), 'targets.0.weight', />=0/],
      [carrier('targets: [{ uri: "tel:1" }]'), 'targets.0.uri', /must be sip:/],
      [carrier('targets: [sip:a b]'), 'targets.0', /must be sip:/],
      [route('called: { prefix: +49x }'), 'routes.0.called.prefix', /must be digits/],
      [route('called: { prefix: "+49", exact: "112" }'), 'routes.0.called', /one of prefix, exact and regex/],
      [route('calling: { regex: "(" }'), 'routes.0.calling.regex', /RE2: .*missing closing \)/],
      [route('calling: { regex: "(?=a)" }'), 'routes.0.calling.regex', /RE2: /],
      [route('header: { name: "X Class", matches: a }'), 'routes.0.header.name', /name of a header/],
      [carrier('numbers: { defaultCountry: XX }'), 'numbers.defaultCountry', /country of ISO 3166/],
      [
        carrier('numbers: { outgoing: { format: national } }'),
        'numbers.defaultCountry',
        /is needed by outgoing.format/,
      ],
      [carrier('numbers: { incoming: { strip: "0a" } }'), 'numbers.incoming.strip', /digits/],
      [carrier('passHeaders: [Via]'), 'passHeaders.0', /never passes/],
      [carrier('passHeaders: [X-Fine, CALL-ID]'), 'passHeaders.1', /never passes/],
      [carrier('passHeaders: [X-Sidestream-Trace]'), 'passHeaders.0', /never passes/],
      [carrier('passHeaders: [y]'), 'passHeaders.0', /long name/],
      [carrier('failover: { statuses: [486] }'), 'failover.statuses.0', /must not be one of 401, 407, 486/],
      [carrier('failover: { statuses: [603] }'), 'failover.statuses.0', /<=599/],
      [carrier('keepalive: { interval: 10ms }'), 'keepalive', /interval from 1s to 1h/],
      [carrier('keepalive: on'), 'keepalive', /must be 'off' or/],
      [carrier('failover: { timeout: 10 }'), 'failover.timeout', /expected string/],
    ] as const) {
      assert.deepEqual(Object.keys(problems), [`trunks.carrier.${path}`]);
      assert.match(problems[`trunks.carrier.${path}`] ?? '', message);
    }
  });

  test("a trunk's limits and destinations are read, and refused by name where they contradict", () => {
    const trunk = (more: string) =>
      good.replace('targets: [sip:10.0.0.5:5060]', `targets: [sip:10.0.0.5:5060], ${more}`);
    const { pbx } = read(
      trunk('limits: { calls: 30, callsPerSecond: 2.5, maxDuration: 4h }, destinations: { allow: ["+49"] }'),
    ).trunks;
    assert.deepEqual(pbx?.limits, { calls: 30, callsPerSecond: 2.5, maxDurationMs: 14_400_000 });
    assert.deepEqual(pbx?.destinations, { allow: ['+49'], deny: [] });
    assert.deepEqual(
      Object.keys(problemsOf(trunk('limits: { calls: 0 }, destinations: { allow: [+49], deny: ["0900"] }'))),
      ['trunks.pbx.limits.calls', 'trunks.pbx.destinations.allow.0', 'trunks.pbx.destinations.deny.0'],
    );
    const twice = problemsOf(trunk('destinations: { allow: ["+49"], deny: ["+49"] }'));
    assert.match(twice['trunks.pbx.destinations.deny'] ?? '', /which of them/);
  });

  test('off loopback NATS needs TLS and credentials, gRPC needs TLS, and ng is refused', () => {
    const open = good
      .replace('nats://127.0.0.1:4222', 'nats://nats.example:4222')
      .replace('ng: 127.0.0.1:22222 }', 'ng: 10.0.0.1:22222 }, listen: 0.0.0.0:7000')
      .replace('signalling: {', 'signalling: { grpcListen: 0.0.0.0:7001,')
      .concat('relays: [{ address: 10.0.0.2:7000 }]\n');
    assert.deepEqual(Object.keys(problemsOf(open)).sort(), [
      'mediaRelay.listen',
      'mediaRelay.rtpengine.ng',
      'nats.servers.0',
      'relays.0.address',
      'signalling.grpcListen',
    ]);
    const closed = open
      .replace(
        'servers:',
        'tls: { certFile: cert.pem, keyFile: key.pem, caFile: ca.pem }, credentialsFile: key.pem, servers:',
      )
      .replace('ng: 10.0.0.1', 'ng: 127.0.0.1')
      .concat('grpc: { tls: { certFile: cert.pem, keyFile: key.pem, caFile: ca.pem } }\n');
    assert.deepEqual(problemsOf(closed), {});
  });

  test('names in certificates can be checked where it is said what they end with', () => {
    const tls = (more: string) =>
      `${good}grpc: { tls: { certFile: cert.pem, keyFile: key.pem, caFile: ca.pem${more} } }\n`;
    assert.deepEqual(problemsOf(tls(', checkNames: true')), { 'grpc.tls.serverName': 'is needed by checkNames' });
    assert.deepEqual(problemsOf(tls(', checkNames: true, serverName: sidestream.internal')), {});
    assert.deepEqual(problemsOf(tls(', checkNames: false')), {});
  });

  test('an external edge has its own listeners, addresses and certificates: all of ours are named at once', () => {
    const external = good.replace(
      'signalling: { ',
      'signalling: { edge: tcp://127.0.0.1:9022, advertise: 192.0.2.1, tls: { certFile: cert.pem, keyFile: key.pem }, ',
    );
    const problems = problemsOf(external);
    assert.deepEqual(Object.keys(problems).sort(), ['signalling.advertise', 'signalling.listen', 'signalling.tls']);
    assert.match(problems['signalling.listen'] ?? '', /embedded edge alone/);
    assert.deepEqual(problemsOf(good.replace(/signalling: .*/, 'signalling: { edge: tcp://127.0.0.1:9022 }')), {});
  });

  test('edgeMetrics are of an external edge alone', () => {
    const asked = good.replace('signalling: {', 'signalling: { edgeMetrics: 127.0.0.1:9023,');
    assert.deepEqual(Object.keys(problemsOf(asked)), ['signalling.edgeMetrics']);
    const external = 'signalling: { edge: tcp://127.0.0.1:9022, edgeMetrics: 127.0.0.1:9023 }';
    assert.deepEqual(problemsOf(good.replace(/signalling: .*/, external)), {});
  });

  test('the embedded edge needs a certificate for TLS, a name for every address, a listener for every target', () => {
    const asked = good
      .replace('[udp:127.0.0.1:0, tcp:127.0.0.1:0]', '[udp:0.0.0.0:5060, tls:127.0.0.1:5061]')
      .replace('sip:10.0.0.5:5060', 'sips:10.0.0.5');
    assert.deepEqual(problemsOf(asked), {
      'signalling.listen.0': "'0.0.0.0' is every address: signalling.advertise must name one",
      'signalling.listen.1': 'needs signalling.tls',
      'trunks.carrier-out.targets.0': 'goes over tcp: signalling.listen needs a tcp listener',
    });
    const listening = good.replace(/signalling: .*/, 'signalling: {}');
    assert.deepEqual(problemsOf(listening), {});
    assert.deepEqual(Object.keys(problemsOf(listening.replace('side: seller,', 'side: seller, transport: tls,'))), [
      'trunks.pbx.targets.0',
    ]);
  });
});

describe('a tenant with a provider', () => {
  const provider = `provider: { entraTenantId: contoso.example, clientId: 11111111-1111-4111-8111-111111111111, clientSecretFile: key.pem }`;
  const withProvider = (policy: string, more = provider) =>
    good.replace(
      'policy: { source: file, file: policy.yaml }',
      `organizationId: ad3dca46-962a-4895-9f85-d25f3828781f\n    policy: { ${policy} }\n    ${more}`,
    );

  test('times are in milliseconds, with the documented defaults', () => {
    const policy = read(withProvider('source: provider, pollInterval: 30s')).tenants['contoso']?.policy;
    assert.deepEqual(policy, {
      source: 'provider',
      stale: 'record-none',
      identityErrors: 'skip',
      pollIntervalMs: 30_000,
      maxAgeMs: 86_400_000,
    });
  });

  test('a policy from the provider needs the provider, and one way to be known to it', () => {
    assert.deepEqual(problemsOf(withProvider('source: provider', '')), {
      'tenants.contoso.provider': 'is needed by policy.source provider',
    });
    const both = provider.replace('clientSecretFile', 'clientCertificateFile: cert.pem, clientSecretFile');
    assert.match(
      problemsOf(withProvider('source: provider', both))['tenants.contoso.provider.clientSecretFile'] ?? '',
      /either clientSecretFile, or/,
    );
    const common = provider.replace('contoso.example', 'common');
    assert.deepEqual(problemsOf(withProvider('source: provider', common)), {
      'tenants.contoso.provider.entraTenantId': 'must name one directory',
    });
  });

  test('a policy that one failed request would make stale is refused, also where a default is one of the times', () => {
    for (const times of ['pollInterval: 1h, maxAge: 10s', 'pollInterval: 13h', 'maxAge: 9m']) {
      const problems = problemsOf(withProvider(`source: provider, ${times}`));
      assert.deepEqual(Object.keys(problems), ['tenants.contoso.policy.maxAge'], times);
      assert.match(problems['tenants.contoso.policy.maxAge'] ?? '', /at least twice pollInterval/);
    }
    assert.deepEqual(problemsOf(withProvider('source: provider, pollInterval: 12h')), {});
    assert.deepEqual(problemsOf(withProvider('source: provider, pollInterval: 1h, maxAge: 2h')), {});
  });

  test('a time out of bounds is told with its key, and so is a listener off loopback without TLS', () => {
    const text = `${withProvider('source: provider, maxAge: 1s')}policySync: { listen: '192.0.2.1:7000' }\n`;
    const problems = problemsOf(text);
    assert.match(problems['tenants.contoso.policy.maxAge'] ?? '', /must be a time from/);
    assert.match(problems['policySync.listen'] ?? '', /grpc\.tls is needed/);
  });
});

test('more recorders at once than a call has forks for are refused', () => {
  const five = 'recorders: [sip:a, [sip:b, sip:c], sip:d, sip:e]';
  const parallel = (recorders: string) =>
    good.replace('recording: {', 'recording: { parallel: all,').replace('recorders: [eastus]', recorders);
  assert.deepEqual(problemsOf(parallel('recorders: [sip:a, [sip:b, sip:c], sip:d]')), {});
  assert.match(problemsOf(parallel(five))['tenants.contoso.recording.parallel'] ?? '', /5 recorders at once: 4/);
});
