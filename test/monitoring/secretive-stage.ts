// A deployment with every kind of secret in use, as talkative as can be, and what of it may stand nowhere.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { issueNatsCredentials } from '@sidestream/pki';
import { IssuerSimulator, type PartyCall } from '@sidestream/simulators';
import { DigestLogin, SipError, serialiseMessage } from '@sidestream/sip';
import { ownNats } from '../e2e/nats-stage.js';
import { Stage } from '../e2e/stage.js';
import type { Known } from './secrets.js';
import { TraceCollector } from './trace-collector.js';

const login = { username: 'carrier', password: 'password-of-this-test-4711' };
const audience = 'api://sidestream';

export class SecretiveStage {
  readonly stage: Stage;
  /** An operator's. */
  readonly token: string;
  readonly lines: readonly string[];
  readonly collector: TraceCollector;
  readonly #wire: readonly string[];
  /** Where streams, stores and records are. */
  readonly #kept: readonly string[];
  readonly #files: readonly Known[];

  private constructor(
    stage: Stage,
    told: { token: string; lines: readonly string[]; collector: TraceCollector },
    wire: readonly string[],
    kept: readonly string[],
    files: readonly Known[],
  ) {
    this.stage = stage;
    this.token = told.token;
    this.lines = told.lines;
    this.collector = told.collector;
    this.#wire = wire;
    this.#kept = kept;
    this.#files = files;
  }

  /** Undefined, with the test skipped, where the machine lacks the real parts. */
  static async start(t: TestContext): Promise<SecretiveStage | undefined> {
    const collector = await TraceCollector.start(t);
    const issuer = await IssuerSimulator.start({ audience });
    t.after(() => issuer.close());
    const folder = (name: string) => {
      const directory = mkdtempSync(join(tmpdir(), `sidestream-${name}-`));
      t.after(() => rmSync(directory, { recursive: true, force: true }));
      return directory;
    };
    const [records, natsStore, secrets] = [folder('records'), folder('nats'), folder('secrets')];
    const write = (name: string, text: string) => {
      writeFileSync(join(secrets, name), text, { mode: 0o600 });
      return join(secrets, name);
    };
    const { serverConfig, credentials } = issueNatsCredentials({ sidestream: {} });
    const nats = await ownNats(t, { storeDirectory: natsStore, args: ['-c', write('server.conf', serverConfig)] });
    if (nats === undefined) return undefined;
    const lines: string[] = [];
    const wire: string[] = [];
    const party = {
      srtp: true,
      onMessage: ({ message }: { message: Parameters<typeof serialiseMessage>[0] }) =>
        void wire.push(serialiseMessage(message).toString('latin1')),
    };
    let providerFile = '';
    const stage = await Stage.start(t, {
      provider: {},
      nats: false,
      customer: party,
      seller: party,
      recorder: { onMessage: party.onMessage },
      onLog: (line) => lines.push(line),
      configure: (config) => {
        config.log = { level: 'trace' };
        config.telemetry = { traces: { endpoint: collector.endpoint, sampleRatio: 1 } };
        config.nats = { servers: [nats.url], credentialsFile: write('sidestream.creds', credentials.sidestream) };
        config.signalling = { ...config.signalling, records: { directory: records } };
        config.gateway = { issuers: [{ tenant: 'contoso', issuer: issuer.issuer, audience }] };
        const users = [{ username: login.username, passwordFile: write('password', `${login.password}\n`) }];
        Object.assign(config.trunks['carrier'] ?? assert.fail(), {
          digest: { realm: 'sbc', users },
          numbers: { defaultCountry: 'DE' },
        });
        Object.assign(config.trunks['pbx'] ?? assert.fail(), { srtp: 'require' });
        providerFile = config.tenants?.['contoso']?.provider?.clientSecretFile ?? '';
      },
    });
    if (stage === undefined) return undefined;
    const token = await issuer.mint({ oid: 'olga', roles: ['Sidestream.Operator'] });
    const directory = dirname(stage.laboratory.configFile);
    const keyFiles = filesUnder(directory).filter(([name]) => name.endsWith('.key'));
    assert.ok(keyFiles.length > 0 && providerFile !== '');
    const files: Known[] = [
      ...keyFiles.map(([name, text]): Known => [`the key of ${name}`, text.split('\n')[1] ?? text]),
      ['the client secret', readFileSync(join(directory, providerFile), 'utf8').trim()],
      ['the password of the trunk', login.password],
      ['the seed of the user of NATS', /^SU\w{56}$/m.exec(credentials.sidestream)?.[0] ?? assert.fail()],
      ['the token of the user of NATS', /^eyJ.+$/m.exec(credentials.sidestream)?.[0] ?? assert.fail()],
      ['the token of an operator', token],
    ];
    return new SecretiveStage(stage, { token, lines, collector }, wire, [natsStore, records], files);
  }

  /** The customer calls this number, is asked who it is, says so, and is let in. */
  async call(number: string, from: string): Promise<PartyCall> {
    const uri = this.stage.uri(number);
    const name = `<sip:${from}@${new URL(`http://${uri.split('@')[1]}`).hostname}>`;
    const asked = await this.stage.customer.call(uri, { from: name });
    const refusal: unknown = await asked.answered.catch((error: unknown) => error);
    assert.ok(refusal instanceof SipError && refusal.status === 401, String(refusal));
    const asking = this.#wire.findLast((text) => text.startsWith('SIP/2.0 401')) ?? '';
    const challenge = [...asking.matchAll(/^WWW-Authenticate: (.+)\r$/gm)].map(([, one]) => one).join(',');
    const digest = new DigestLogin(login);
    assert.ok(digest.attempt().take({ status: 401, get: () => challenge }), asking);
    const headers = Object.entries(digest.headers({ method: 'INVITE', uri, body: '' }));
    const call = await this.stage.customer.call(uri, { from: name, headers });
    await call.answered;
    return call;
  }

  /** What is in use now. Asserts that keys were seen on all three ways: the customer's, the seller's, the recorder's. */
  secrets(): readonly Known[] {
    const keys = new Set(
      this.#wire.flatMap((text) => [...text.matchAll(/inline:([A-Za-z0-9+/]{40})/g)].map(([, key = '']) => key)),
    );
    // Each way of a call has a key of each end, the recorder's one for each voice.
    assert.ok(keys.size >= 8, `${keys.size} keys were seen on the wire`);
    return [...[...keys].map((key): Known => ['a key of SRTP in use', key]), ...this.#files];
  }

  /** Streams, stores and record files. */
  kept(): [name: string, text: string][] {
    return this.#kept.flatMap(filesUnder);
  }
}

function filesUnder(directory: string): [name: string, text: string][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'latin1')]);
}
