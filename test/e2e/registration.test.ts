// The registration as it runs: processes, a real nats-server, the provider simulator behind TLS.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '@sidestream/peers';
import { createAuthority } from '@sidestream/pki';
import { callUnary } from '@sidestream/service';
import {
  accountId,
  organizationId,
  RegistrationStage,
  type RunningRegistration,
  secret,
} from './registration-stage.js';
import { runCli } from './run-cli.js';

/** Long enough for several polls of the files and looks of the registrar. */
const settleMs = 3_000;
const timeoutMs = 60_000;

/** Holds for a while: that nothing happens can't be waited for otherwise. */
async function stays(what: string, predicate: () => boolean): Promise<void> {
  const end = performance.now() + settleMs;
  await eventually(() => {
    assert.ok(predicate(), what);
    return performance.now() > end;
  }, what);
}

const applied = (service: RunningRegistration) => async () => (await service.state()) === 'applied';

describe('registration', () => {
  test('a tenant is registered once, with exactly what is documented, and all that it leaves holds no secret', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    const one = await stage.service('one');
    await stage.until('it is registered', applied(one));
    assert.deepEqual(
      stage.provider.registrations.map(({ body }) => body),
      [
        {
          orgId: organizationId,
          Type: 'custom',
          hosting: 'cloud',
          displayName: 'Sidestream',
          AuthenticationDetails: {
            AccountId: accountId,
            CertificateSubjectName: 'CN=sbc.contoso.example',
            CertificateIssuer: 'CN=Simulated CA',
            SourceIPNetwork: '0.0.0.0',
          },
        },
      ],
    );
    assert.deepEqual(stage.provider.findings, []);
    const record = await stage.record();
    assert.equal(record.accepted?.subject, 'CN=sbc.contoso.example');
    assert.equal(record.intent, undefined);
    await stage.until('the event', async () =>
      (await stage.events()).some(({ $case }) => $case === 'registrationApplied'),
    );
    const metrics = await one.metrics();
    assert.match(metrics, /^sidestream_registration_state\{.*state="applied".*\} 1$/m);
    assert.match(metrics, /^sidestream_registration_attempts_total\{.*outcome="registered".*\} 1$/m);
    assert.match(metrics, /^sidestream_recorder_certificate_expiry_seconds\{tenant="contoso".*\} 1\d{9}$/m);
    const left = JSON.stringify([record, await stage.events(), await one.status()]) + metrics + stage.log;
    assert.ok(!left.includes(secret) && !left.includes(encodeURIComponent(secret)), 'the secret is in what is left');
    assert.doesNotMatch(left, /eyJ[\w-]{10,}\./, 'a token is in what is left');
  });

  test('two instances, the active one killed -9: the other is active within 15 s and registers nothing twice', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    const both = [await stage.service('one'), await stage.service('two')] as const;
    await stage.until('it is registered', applied(both[0]));
    const [active, standby] = (await both[0].status()).active ? both : [both[1], both[0]];
    const request = { tenant: 'contoso', force: true };
    const apply = () => callUnary(standby.client.apply.bind(standby.client), request, { deadlineMs: 30_000 });
    await assert.rejects(apply(), { code: 'not-active' });
    active.process.kill('SIGKILL');
    const killed = performance.now();
    const asked = runCli(['register', '-c', stage.configFile, '--json'], { timeoutMs });
    await stage.until('the other is active', async () => (await standby.status()).active, 15_000);
    t.diagnostic(`active after ${Math.round(performance.now() - killed)} ms`);
    await stays('nothing is registered twice', () => stage.requests === 1);
    const { code, stdout } = await asked;
    assert.equal(code, 0, stdout);
    assert.equal(JSON.parse(stdout)[0].outcome, 'unchanged', 'who asks meanwhile is served by the other');
    assert.equal((await apply()).outcome, 'registered');
    assert.equal(stage.requests, 2);
  });

  test('an instance that was frozen, and wakes while another is active, registers nothing more', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    const one = await stage.service('one');
    await stage.until('it is registered', applied(one));
    one.process.kill('SIGSTOP');
    t.after(() => one.process.kill('SIGCONT'));
    const two = await stage.service('two');
    await stage.renew({}, await createAuthority('Next CA'));
    await stage.until('the other has registered the new names', () => stage.requests === 2);
    await stage.until('that is known', applied(two));
    one.process.kill('SIGCONT');
    await stage.until('it stands by', async () => !(await one.status()).active);
    await stays('nothing is registered twice', () => stage.requests === 2);
    assert.ok((await two.status()).active);
  });

  test('killed -9 while a request is under way: the other finds the intent, asks again, and says so', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    stage.fault('slow=600000x1');
    const one = await stage.service('one');
    await stage.until('the request is under way', () => stage.requests === 1);
    assert.equal((await stage.record()).intent?.by, 'one');
    one.process.kill('SIGKILL');
    // What it had sent was taken; the provider says so to the next.
    stage.fault('conflict');
    const two = await stage.service('two');
    await stage.until('it is registered', applied(two));
    assert.equal((await stage.record()).accepted?.outcome, 'already-registered');
    assert.match(stage.log, /the outcome of the attempt of one at \S+ is unknown/);
    await stays('no loop on 409', () => stage.requests === 2);
  });

  test('a certificate of other names is registered before the record names it; one of the same names is not', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    const one = await stage.service('one');
    await stage.until('it is registered', applied(one));
    const before = (await stage.record()).accepted;
    await stage.renew({});
    await stays('the same names are not registered again', () => stage.requests === 1);

    stage.fault('status=503');
    await stage.renew({}, await createAuthority('Next CA'));
    const drifts = async () => (await stage.events()).filter(({ $case }) => $case === 'registrationDrifted').length;
    await stage.until('it drifts, and says so', async () => (await drifts()) === 1);
    assert.equal(await one.state(), 'drifted');
    assert.equal((await stage.record()).accepted?.issuer, before?.issuer, 'the old names are still the accepted ones');
    stage.fault('');
    await stage.until('it is registered', applied(one), 30_000);
    const { body } = stage.provider.registrations.at(-1) ?? {};
    assert.match(JSON.stringify(body), /CN=Next CA/);
    assert.equal((await stage.record()).accepted?.issuer, 'CN=Next CA');
    assert.equal(await drifts(), 1);
  });

  test('an expired secret is said and not looped on; a new one is tried at once', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    stage.fault('expired-secret');
    const one = await stage.service('one');
    await stage.until('it fails', async () => (await one.state()) === 'failed');
    const [tenant] = (await one.status()).tenants;
    assert.match(tenant?.lastError ?? '', /AADSTS7000222/);
    const waitMs = (tenant?.nextAttemptAt?.getTime() ?? 0) - Date.now();
    assert.ok(waitMs > 50 * 60_000, `again in ${waitMs} ms`);
    const asked = stage.provider.requests.length;
    await stays('it asks no more', () => stage.provider.requests.length === asked);
    stage.fault('');
    stage.writeSecret(`${secret}\n`);
    await stage.until('it is registered', applied(one));
  });
});

describe('sidestream register', () => {
  const run = (stage: RegistrationStage, ...more: string[]) =>
    runCli(['register', '-c', stage.configFile, ...more], { timeoutMs });

  test('finds the active instance: nothing to do, by force, and what failed', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    const one = await stage.service('one');
    await stage.until('it is registered', applied(one));
    const unchanged = await run(stage);
    assert.deepEqual([unchanged.code, unchanged.stderr], [0, '']);
    assert.match(unchanged.stdout, /^contoso\n {2}why {6}the provider has accepted this already/);
    assert.match(unchanged.stdout, /warning {2}chain-incomplete: /);
    assert.match(unchanged.stdout, /outcome {2}nothing was sent/);
    const forced = await run(stage, '--tenant', 'contoso', '--force', '--json');
    assert.deepEqual([forced.code, JSON.parse(forced.stdout)[0].outcome], [0, 'registered']);
    assert.equal(stage.requests, 2);
    const shown = await run(stage, '--dry-run', '--json', '--address', one.address);
    const [report] = JSON.parse(shown.stdout);
    assert.deepEqual([shown.code, report.outcome, report.needed], [0, 'dry-run', false]);
    stage.fault('status=403');
    const refused = await run(stage, '--force');
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /outcome {2}failed: .*403/);
    assert.equal(stage.requests, 3);
  });

  test('--dry-run needs no service; without it the lack of one is said', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    const shown = await run(stage, '--dry-run', '--json');
    assert.equal(shown.code, 0, shown.stderr);
    const [report] = JSON.parse(shown.stdout);
    assert.equal(report.needed, null);
    assert.equal(report.body.AuthenticationDetails.CertificateIssuer, 'CN=Simulated CA');
    const absent = await run(stage);
    assert.equal(absent.code, 1);
    assert.match(absent.stdout, /no registration instance is running/);
    const refused = await run(stage, '--address', '127.0.0.1:1');
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /failed: registration at 127\.0\.0\.1:1 can't be reached: connect ECONNREFUSED \S+\n/);
    await stage.renew({ notAfter: new Date(Date.now() - 1_000) });
    const expired = await run(stage, '--dry-run');
    assert.equal(expired.code, 1);
    assert.match(expired.stdout, /error {4}certificate-expired: .*renew it/);
    assert.equal(stage.provider.requests.length, 0);
  });

  test('a wrong command line, configuration or tenant ends with 2 and is told', async (t) => {
    const stage = await RegistrationStage.start(t);
    if (!stage) return;
    const wrong = await Promise.all([run(stage, '--nonsense'), run(stage, '--tenant', 'nobody')]);
    assert.deepEqual(
      wrong.map(({ code }) => code),
      [2, 2],
    );
    assert.match(wrong[1]?.stderr ?? '', /tenants\.nobody.*is not there/);
    const missing = await runCli(['register', '-c', `${stage.configFile}.absent`], { timeoutMs });
    assert.equal(missing.code, 2);
  });
});
