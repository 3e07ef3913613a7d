// A deployment in which some services are of the last release, as far as everybody else can tell.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Deployment, listedSeller } from '@sidestream/cli';
import { freeTcpPort } from '@sidestream/peers';
import { IssuerSimulator } from '@sidestream/simulators';
import { Dialer } from '../e2e/gateway/dialer.js';
import { Stage } from '../e2e/stage.js';
import { ContractVersion } from './contract-version.js';
import { startDowngradingProxy } from './downgrading-proxy.js';

const readyMs = 60_000;
const audience = 'api://sidestream';

/** A deployment in which relay and signalling look to everybody else as those of the last release. */
export async function mixedDeployment(t: TestContext) {
  const issuer = await IssuerSimulator.start({ audience });
  t.after(() => issuer.close());
  const [relay, relayBehind, calls, callsBehind] = await Promise.all(
    [1, 2, 3, 4].map(async () => `127.0.0.1:${await freeTcpPort('127.0.0.1')}`),
  );
  assert.ok(relay && relayBehind && calls && callsBehind);
  const stage = await Stage.start(t, {
    services: false,
    configure: (config) => {
      config.mediaRelay = { ...config.mediaRelay, listen: relayBehind, advertise: relay };
      config.signalling = { ...config.signalling, grpcListen: callsBehind, grpcAdvertise: calls };
      config.gateway = { id: 'g1', issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience }] };
    },
  });
  if (!stage) return undefined;
  const { configFile } = stage.laboratory;
  const release = ContractVersion.lastRelease();
  const media = await startDowngradingProxy(t, {
    ...{ release, configFile, as: 'media-relay', caller: 'signalling' },
    ...{ service: 'sidestream.media.v1.MediaRelayService', listen: relay, behind: relayBehind },
  });
  const ofCalls = await startDowngradingProxy(t, {
    ...{ release, configFile, as: 'signalling', caller: 'gateway' },
    ...{ service: 'sidestream.calls.v1.CallsService', listen: calls, behind: callsBehind },
  });
  const deployment = await Deployment.start({ configFile, onLog: () => undefined });
  t.after(() => deployment.stop());
  await deployment.ready(readyMs);
  const gateway = deployment.status.addresses['gateway.http'] ?? '';
  const token = await issuer.mint({ oid: 'olga', roles: ['Sidestream.Operator'] });
  const api = async (path: string, post = false) => {
    const response = await fetch(`${gateway}/api/v1/${path}`, {
      method: post ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}` },
      ...(post && { body: '{}' }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    assert.equal(response.status, 200, `${path}: ${text}`);
    return JSON.parse(text);
  };
  const sip = (deployment.status.addresses['sip-edge.sip.udp'] ?? '').replace(/^\w+:(\/\/)?/, '');
  return {
    ...{ stage, release, deployment, api, asked: { media, calls: ofCalls }, addresses: { relay, calls } },
    inbound: () => stage.inbound(listedSeller.number, `sip:${listedSeller.number}@${sip}`),
    dialer: async () => Dialer.open(gateway, await issuer.mint({ oid: listedSeller.id })),
  };
}
