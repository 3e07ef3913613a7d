// The upgrade from 0.1.0 with the values that one has: pods of 0.1.0 that start again meanwhile read the new sidestream.yaml.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { configurationOf } from './configuration.js';
import type { Manifest } from './helm.js';
import { podsOf } from './pods.js';
import { helm, skip } from './renders.js';
import { oneRegion } from './values.js';

/** Of 0.1.0's schema, which refuses any other key; tenants, trunks and regions are the values' own. */
const known = `
  grpc.tls.caFile grpc.tls.certFile grpc.tls.keyFile grpc.tls.serverName
  log.level
  management.listen
  mediaRelay.advertise mediaRelay.forks.lookEvery mediaRelay.forks.recorderSilentAfter mediaRelay.forks.stalledAfter mediaRelay.id mediaRelay.listen mediaRelay.maxSessions mediaRelay.mediaTimeout mediaRelay.region mediaRelay.rtpengine.ng
  nats.credentialsFile nats.replicas nats.servers nats.tls.caFile nats.tls.certFile nats.tls.keyFile
  policySync.advertise policySync.id policySync.listen
  registration.advertise registration.id registration.listen
  relays.*.address
  signalling.advertise signalling.drainSeconds signalling.edge signalling.edgeSecretFile signalling.emergencyNumbers signalling.grpcAdvertise signalling.grpcListen signalling.id signalling.listen signalling.maxCalls signalling.maxLagMs signalling.sources.connections signalling.sources.connectionsPerSecond signalling.sources.messagesPerSecond signalling.stateDirectory signalling.tls.certFile signalling.tls.keyFile signalling.tls.trustFile
  tenants trunks regions`
  .trim()
  .split(/\s+/);

const map = z.object({ data: z.object({ 'sidestream.yaml': z.string() }) });
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Paths of keys that 0.1.0 doesn't know. */
function unknown(value: unknown, path = ''): string[] {
  if (known.includes(path)) return [];
  if (!isObject(value) || !known.some((key) => path === '' || key.startsWith(`${path}.`))) return [path];
  return Object.entries(value).flatMap(([key, one]) => unknown(one, path === '' ? key : `${path}.${key}`));
}

/** By name of the ConfigMap. */
function refused(objects: readonly Manifest[]): Record<string, string[]> {
  const found = objects.flatMap((one): [string, string[]][] => {
    const { success, data } = map.safeParse(one);
    return success ? [[one.metadata.name, unknown(parse(data.data['sidestream.yaml']))]] : [];
  });
  return Object.fromEntries(found);
}

test('unchanged values make no key of sidestream.yaml that 0.1.0 refuses', { skip }, () => {
  assert.deepEqual(refused(helm().template({ values: oneRegion })), {
    'prod-sidestream-eastus-media': [],
    'prod-sidestream-eastus-sip': [],
    'prod-sidestream-policy-sync': [],
    'prod-sidestream-registration': [],
  });
  const newer = { ...oneRegion, networkPolicy: { monitoringCidrs: ['192.0.2.0/24'] }, tls: { checkNames: true } };
  assert.deepEqual(refused(helm().template({ values: newer }))['prod-sidestream-eastus-sip'], [
    'grpc.tls.checkNames',
    'management.allow',
  ]);
});

test('what 0.1.0 doesn’t know reaches the services by the pod', { skip }, async () => {
  const objects = helm().template({ values: oneRegion });
  const read: Record<string, unknown> = {};
  for (const pod of podsOf(objects)) read[pod.component] = await configurationOf(pod, objects);
  const told = z.looseObject({
    signalling: z.looseObject({ edgeMetrics: z.literal('127.0.0.1:9023') }),
    'media-relay': z.looseObject({ engineHttp: z.literal('127.0.0.1:22280') }),
  });
  told.parse(read);
});
