// SIP over TLS: drachtio-server shows what it read at its start, and signalling watches just that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podsOf } from './pods.js';
import { helm, skip } from './renders.js';
import { oneRegion } from './values.js';

const sip = { tls: { secretName: 'sip-tls' } };

test('edge-config alone sees the Secret; drachtio-server and signalling see the copy that it makes', { skip }, () => {
  const pod = podsOf(helm().template({ values: { ...oneRegion, signalling: { sip } } })).find(
    ({ component }) => component === 'signalling',
  );
  assert.ok(pod);
  const all = [...pod.spec.initContainers, ...pod.spec.containers];
  const at = (volume: string) =>
    Object.fromEntries(
      all.flatMap(({ name, volumeMounts = [] }) =>
        volumeMounts.filter((mount) => mount.name === volume).map(({ mountPath }) => [name, mountPath]),
      ),
    );
  assert.deepEqual(at('sip-tls'), { 'edge-config': '/etc/sip-tls' });
  assert.deepEqual(at('run'), {
    'edge-config': '/run/sidestream',
    drachtio: '/run/sidestream',
    signalling: '/run/sidestream',
  });
  const edgeConfig = pod.spec.initContainers.find(({ name }) => name === 'edge-config');
  assert.deepEqual(
    edgeConfig?.args.filter((argument) => /^--(out|tls-)/.test(argument)),
    ['--out=/run/sidestream', '--tls-port=5061', '--tls-cert=/etc/sip-tls/tls.crt', '--tls-key=/etc/sip-tls/tls.key'],
  );
  const files = pod.spec.containers[0]?.env.filter(({ name }) => /^SIDESTREAM_EDGE_(CERT|KEY)/.test(name));
  assert.deepEqual(
    files?.map(({ value }) => value),
    ['/run/sidestream/edge.crt', '/run/sidestream/edge.key'],
  );
});
