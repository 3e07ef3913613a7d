// A certificate that changes under a running client, with a real nats-server and TLS to a recorder.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { eventually, reasonToSkip, requirePeer, startNats } from '@sidestream/peers';
import { CredentialFolder, createAuthority } from '@sidestream/pki';
import { Bus } from '@sidestream/service';
import { dynamics365, newRecordingCallId } from '@sidestream/siprec';
import { type RegistrationRecord, readIdentity } from '@sidestream/tenant-registration';
import { Registry } from 'prom-client';
import { newCallId } from '../domain/identifiers.js';
import { silent } from '../testing/fake-world.js';
import { TestRecorder } from '../testing/test-recorder.js';
import { SipRecorderClient } from './recorder-client.js';
import { Registrations } from './registrations.js';

const skip = await reasonToSkip([startNats]);

function accepted(certificate: string): RegistrationRecord {
  const { subject, issuer, fingerprint256 } = readIdentity(certificate);
  const at = new Date().toISOString();
  return { accepted: { contentHash: '', digests: {}, outcome: 'registered', at, subject, issuer, fingerprint256 } };
}

test('recorders see the old certificate until the record names the new one, then the new one without a restart', {
  skip,
}, async (t) => {
  const nats = requirePeer(await startNats({ jetStream: true }));
  t.after(() => nats.stop());
  const bus = Bus.open({
    nats: { servers: [nats.url], replicas: 1 },
    name: 'test',
    log: silent,
    metrics: new Registry(),
  });
  t.after(() => bus.close());
  const bucket = (await bus.whenConnected(AbortSignal.timeout(10_000))).bucket('registrations');
  const authority = await createAuthority('test authority');
  const folder = await CredentialFolder.create();
  t.after(() => folder.remove());
  const server = await authority.issue({ commonName: 'recorder', ipAddresses: ['127.0.0.1'] });
  const recorder = await TestRecorder.start(await folder.write(server, 'recorder'), (invite, self) =>
    self.accept(invite, ''),
  );
  t.after(() => recorder.close());

  const old = await authority.issue({ commonName: 'old' });
  await bucket.put('contoso', JSON.stringify(accepted(old.certificate)));
  const { trustFile, ...identity } = await folder.write(old, 'contoso');
  const registrations = new Registrations(bus, { log: silent, metrics: new Registry() });
  t.after(() => registrations.stop());
  const mayReplace = registrations.gate('contoso');
  const times = { provisionalTimeoutMs: 3_000, finalTimeoutMs: 3_000 };
  const tenant = {
    identity,
    mayReplace,
    trustFile,
    profile: dynamics365,
    accountId: 'AC0123',
    domain: 'sbc.example',
    recorders: [{ recorder: recorder.uri(), place: 0 }],
    ...times,
  };
  const recorders = new SipRecorderClient({ contoso: tenant }, { log: silent, metrics: new Registry() });
  t.after(() => recorders.close());
  registrations.start();

  const shown = async () => {
    const { clientCertificateSubject } = await recorders.invite(
      {
        ...{
          callId: newCallId(),
          tenant: 'contoso',
          recorder: recorder.uri(),
          sipCallId: newRecordingCallId(),
          headers: [],
        },
        ...{ contentType: 'application/sdp', body: Buffer.from('offer') },
        goodbye: () => ({ contentType: 'text/plain', body: Buffer.alloc(0), headers: [] }),
      },
      new AbortController().signal,
    );
    return clientCertificateSubject;
  };
  const next = await authority.issue({ commonName: 'new' });
  const [before, after] = [new X509Certificate(old.certificate), new X509Certificate(next.certificate)];
  await eventually(() => !mayReplace(before, after), 'the record is known');
  assert.match(await shown(), /old/);
  await folder.write(next, 'contoso');
  for (let call = 0; call < 3; call += 1) assert.match(await shown(), /old/);
  await bucket.put('contoso', JSON.stringify(accepted(next.certificate)));
  await eventually(async () => /new/.test(await shown()), 'the new certificate is shown');
});
