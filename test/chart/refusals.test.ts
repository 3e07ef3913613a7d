// What the chart does not take, says so with its path; what it says after an installation; what of it is generated is up to date.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { searchPath } from './config.js';
import { findHelm, type Helm } from './helm.js';
import { oneRegion, production } from './values.js';

const found = findHelm(searchPath());
const skip = typeof found === 'string' ? `the chart is not rendered: ${found}` : false;
const helm = () => found as Helm;

/** One region, with something of its carrier changed. */
function withCarrier(carrier: object) {
  const { config } = oneRegion;
  const trunks = { ...config.trunks, carrier: { ...config.trunks.carrier, ...carrier } };
  return { ...oneRegion, config: { ...config, trunks } };
}

const refusals: Readonly<Record<string, { values: object; says: RegExp }>> = {
  'a key that is not there': {
    values: { signaling: {} },
    says: /\(root\): Additional property signaling is not allowed/,
  },
  'a typo in a cell': {
    values: { regions: { eastus: { recorders: [], signalling: { replica: 1 } } } },
    says: /regions\.eastus\.signalling: Additional property replica/,
  },
  'a typo in sidestream.yaml': {
    values: { config: { signalling: { drainSecs: 1 } } },
    says: /config\.signalling: Additional property drainSecs/,
  },
  'what the chart writes itself': { values: { config: { nats: {} } }, says: /config: Additional property nats/ },
  'two pods with one address': {
    values: { ...oneRegion, signalling: { network: 'loadBalancer', addresses: ['198.51.100.1'] } },
    says: /2 signalling pods need 2 addresses in signalling\.addresses, there are 1/,
  },
  'load balancers without an address to tell': {
    values: { ...oneRegion, signalling: { network: 'loadBalancer', replicas: 1 } },
    says: /regions\.eastus: signalling\.addresses \(or advertise\) is needed in mode loadBalancer/,
  },
  'numbered addresses on nodes': {
    values: { ...oneRegion, signalling: { addresses: ['198.51.100.1', '198.51.100.2'] } },
    says: /regions\.eastus: signalling\.addresses is of mode loadBalancer/,
  },
  'addresses of pods, and another': {
    values: {
      ...oneRegion,
      signalling: { network: 'loadBalancer', replicas: 1, addresses: ['198.51.100.1'], advertise: '198.51.100.2' },
    },
    says: /regions\.eastus: signalling has addresses as well as advertise/,
  },
  'claims of pods without a number': {
    values: { ...oneRegion, signalling: { stateVolumeClaim: { accessModes: ['ReadWriteOnce'] } } },
    says: /regions\.eastus: signalling\.stateVolumeClaim is of mode loadBalancer/,
  },
  'an address of one pod for two': {
    values: { ...oneRegion, mediaRelay: { advertise: '192.0.2.1' } },
    says: /mediaRelay\.advertise is the address of one pod/,
  },
  'addresses of nodes for pods that are on none': {
    values: {
      ...oneRegion,
      signalling: { network: 'loadBalancer', advertise: 'pod', nodeAddresses: { 'node-1': '192.0.2.1' } },
    },
    says: /regions\.eastus: signalling\.nodeAddresses and advertiseFrom are of network host/,
  },
  'metadata for relays that are on no node': {
    values: { ...oneRegion, mediaRelay: { network: 'pod', advertiseFrom: { metadata: 'gcp' } } },
    says: /regions\.eastus: mediaRelay\.nodeAddresses and advertiseFrom are of network host/,
  },
  'the metadata of a cloud that is not known': {
    values: { ...oneRegion, mediaRelay: { advertiseFrom: { metadata: 'ec2' } } },
    says: /mediaRelay\.advertiseFrom\.metadata/,
  },
  'one DNS name for all nodes': {
    values: { ...oneRegion, mediaRelay: { advertiseFrom: { dns: 'sip.example.com' } } },
    says: /mediaRelay\.advertiseFrom\.dns: Does not match pattern/,
  },
  'a name for a node’s address': {
    values: { ...oneRegion, signalling: { nodeAddresses: { 'node-1': 'one.example.com' } } },
    says: /signalling\.nodeAddresses\.node-1: Does not match pattern/,
  },
  'labels that select': {
    values: { ...oneRegion, signalling: { podLabels: { 'app.kubernetes.io/name': 'x' } } },
    says: /selects the pods/,
  },
  'one secret for the certificates of all workloads': {
    values: { ...production, tls: { ...production.tls, secretName: 'internal' } },
    says: /tls\.secretName is of mode existingSecret/,
  },
  'names checked in one certificate for all': {
    values: { ...oneRegion, tls: { secretName: 'internal', checkNames: true } },
    says: /tls\.checkNames needs a certificate for each service/,
  },
  'two autoscalers of one workload': {
    values: { ...oneRegion, signalling: { autoscaling: { enabled: true, by: 'hpa', keda: true } } },
    says: /signalling\.autoscaling: Additional property keda/,
  },
  'KEDA without a Prometheus': {
    values: { ...oneRegion, mediaRelay: { autoscaling: { enabled: true, by: 'keda' } } },
    says: /keda\.serverAddress is needed/,
  },
  'more pods at least than at most': {
    values: { ...oneRegion, mediaRelay: { autoscaling: { enabled: true, minReplicas: 11 } } },
    says: /regions\.eastus: mediaRelay\.autoscaling\.minReplicas must not be above maxReplicas/,
  },
  'a way in to a gateway that is not there': {
    values: { ...oneRegion, gateway: { httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] } } },
    says: /gateway\.httpRoute\.enabled: there is no gateway to lead to/,
  },
  'a Prometheus by its name': {
    values: { ...oneRegion, networkPolicy: { monitoringCidrs: ['prometheus.monitoring.svc'] } },
    says: /networkPolicy\.monitoringCidrs\.0: Does not match pattern/,
  },
  ...Object.fromEntries(
    [
      { targets: ['sip:203.0.113.8', 'sips:203.0.113.9'], says: 'targets\\.1' },
      { targets: [{ uri: 'sip:203.0.113.9;transport=tls' }], says: 'targets\\.0' },
      { transport: 'tls', says: 'targets\\.0' },
      { register: { registrar: 'sips:203.0.113.9', user: 'us' }, says: 'register\\.registrar\\.0' },
      {
        register: { registrar: ['sip:203.0.113.8', 'sips:203.0.113.9'], user: 'us' },
        says: 'register\\.registrar\\.1',
      },
    ].map(({ says, ...carrier }) => [
      `TLS to a trunk, without a certificate: ${JSON.stringify(carrier)}`,
      {
        values: withCarrier(carrier),
        says: new RegExp(
          `regions\\.eastus: signalling\\.sip\\.tls\\.secretName is needed: config\\.trunks\\.carrier\\.${says}`,
        ),
      },
    ]),
  ),
  'no issuer': { values: { tls: { mode: 'certManager' } }, says: /tls\.issuer\.name is needed/ },
};

for (const [what, { values, says }] of Object.entries(refusals)) {
  test(`refused with its path: ${what}`, { skip }, () => assert.throws(() => helm().template({ values }), says));
}

test('TLS to trunks is taken with a certificate, and UDP is no TLS, whatever the trunk says else', { skip }, () => {
  const tls = { sip: { tls: { secretName: 'sip-tls' } } };
  helm().template({ values: { ...withCarrier({ transport: 'tls' }), signalling: tls } });
  helm().template({ values: withCarrier({ transport: 'tls', targets: ['sip:203.0.113.9;transport=udp'] }) });
});

test('an older Kubernetes is refused: it has no native sidecars', { skip }, () => {
  assert.throws(() => helm().template({ kubeVersion: '1.28.0' }), />=1\.29/);
});

test('without Helm the tests of the chart are skipped, and in CI they fail', () => {
  const nowhere = { besides: '/nowhere/helm' };
  assert.match(String(findHelm('/nowhere', { ...nowhere, required: false })), /no helm on PATH/);
  assert.throws(() => findHelm('/nowhere', { ...nowhere, required: true }), /no helm on PATH/);
});

test('the notes say what is missing, and which ports to open', { skip }, () => {
  assert.match(
    helm().notes({}),
    /MISSING {2}imageRegistry: where you have pushed our images[\s\S]*MISSING {2}nats\.servers[\s\S]*MISSING {2}regions[\s\S]*stay not ready/,
  );
  assert.match(helm().notes({ ...oneRegion, gateway: { enabled: true } }), /MISSING {2}config\.gateway\.issuers/);
  const notes = helm().notes(production);
  assert.doesNotMatch(notes, /MISSING/);
  assert.match(
    notes,
    /those marked \* are fetched from vault[\s\S]*\* nats-client: ca\.crt[\s\S]* {4}registry: \.dockerconfigjson/,
  );
  assert.match(notes, /And the ConfigMap contoso-policy: policy\.yaml/);
  assert.match(helm().notes(oneRegion), /\n {4}prod-sidestream-signalling-tls: ca\.crt, tls\.crt, tls\.key\n/);
  assert.match(notes, /northeurope\s+SIP \(loadBalancer\): udp\+tcp 5060, tls 5061/);
  assert.match(notes, /eastus\s+SIP \(host\)[\s\S]*?RTP \(host\): udp 10000-19999/);
  assert.match(notes, /address in Contact: 198\.51\.100\.10, 198\.51\.100\.11, one for each pod/);
  assert.match(
    notes,
    /eastus\s[\s\S]*?address in Contact: that of the node\n[\s\S]*address in Contact: 192\.0\.2\.7\n/,
  );
  assert.match(notes, /Recorders and trunks are reached from the address of the node[\s\S]* carriers .* must allow it/);
  const onNodes = helm().notes({
    ...oneRegion,
    signalling: { nodeAddresses: { 'node-1': '203.0.113.1' } },
    mediaRelay: { advertiseFrom: { metadata: 'aws' } },
  });
  assert.match(
    onNodes,
    /address in Contact: the node's in nodeAddresses\n +address in SDP: the node's in the metadata of aws\n/,
  );
  const ofPods = { ...oneRegion, signalling: { network: 'loadBalancer', advertise: 'pod' } };
  assert.match(helm().notes(ofPods), /address in Contact: that of the pod\n/);
});

test('the schema of values and the table in the README are made of their sources', () => {
  const tool = fileURLToPath(new URL('../../../tools/chart.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [tool, '--check'], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, stderr);
});
