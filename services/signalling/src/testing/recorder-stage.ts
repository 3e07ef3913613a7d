// Recorders on TLS and a client for them, with certificates of throw-away authorities; all closed together at the end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type Authority, type CredentialFiles, CredentialFolder, createAuthority } from '@sidestream/pki';
import { createLogger, SidestreamError } from '@sidestream/service';
import { dynamics365, newRecordingCallId } from '@sidestream/siprec';
import { Registry } from 'prom-client';
import { type RecorderClientOptions, type RecorderTenant, SipRecorderClient } from '../adapters/recorder-client.js';
import { newCallId } from '../domain/identifiers.js';
import type { RecordingInvite } from '../domain/ports.js';
import { TestRecorder } from './test-recorder.js';

export const never: AbortSignal = new AbortController().signal;

export const goodbye = {
  contentType: 'text/plain',
  body: Buffer.from('stop time'),
  headers: [['X-AccountId', 'AC0123']] as const,
};

export function inviteTo(recorder: string, over: Partial<RecordingInvite> = {}): RecordingInvite {
  return {
    callId: newCallId(),
    tenant: 'contoso',
    recorder,
    sipCallId: newRecordingCallId(),
    headers: [
      ['Require', 'siprec'],
      ['X-AccountId', 'AC0123'],
    ],
    contentType: 'application/sdp',
    body: Buffer.from('offer'),
    goodbye: () => goodbye,
    ...over,
  };
}

export async function failure(attempt: Promise<unknown>): Promise<SidestreamError> {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof SidestreamError);
    return error;
  }
  throw new assert.AssertionError({ message: 'the recorder accepted' });
}

/** What a client said, and the sum of one of its metrics. */
export interface StagedClient extends SipRecorderClient {
  readonly logs: readonly Record<string, unknown>[];
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined>;
}

export class RecorderStage {
  readonly authority: Authority;
  readonly folder: CredentialFolder;
  readonly closing: (() => Promise<void>)[] = [];

  private constructor(authority: Authority, folder: CredentialFolder) {
    this.authority = authority;
    this.folder = folder;
  }

  static async open(): Promise<RecorderStage> {
    return new RecorderStage(await createAuthority('test authority'), await CredentialFolder.create());
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
    await this.folder.remove();
  }

  /** Files of a recorder with these names, whoever issued its certificate; it trusts our authority. */
  async server(
    over: { dnsNames?: string[]; ipAddresses?: string[]; notAfter?: Date } = { ipAddresses: ['127.0.0.1'] },
    by = this.authority,
    name = 'server',
  ): Promise<CredentialFiles> {
    return await this.folder.write(await by.issue({ commonName: 'server', ...over }), name, this.authority);
  }

  async recorder(
    onInvite: Parameters<typeof TestRecorder.start>[1] = (invite, self) => void self.accept(invite, 'answer'),
    files: CredentialFiles | Promise<CredentialFiles> = this.server(),
    at?: Parameters<typeof TestRecorder.start>[2],
  ): Promise<TestRecorder> {
    const recorder = await TestRecorder.start(await files, onInvite, at);
    this.closing.push(() => recorder.close());
    return recorder;
  }

  /** The identity of a tenant; the same name again renews it in place. */
  async identity(name = 'client', by = this.authority, notAfter?: Date): Promise<CredentialFiles> {
    const request = { commonName: name, dnsNames: ['client.example'], ...(notAfter === undefined ? {} : { notAfter }) };
    return await this.folder.write(await by.issue(request), 'client', this.authority);
  }

  /** A client of tenant contoso for these recorders. */
  async client(
    recorders: readonly (string | RecorderTenant['recorders'][number])[],
    over: Partial<RecorderTenant> = {},
    options: Partial<RecorderClientOptions> = {},
  ): Promise<StagedClient> {
    const { certFile, keyFile, trustFile } = await this.identity();
    const tenant: RecorderTenant = {
      identity: { certFile, keyFile },
      trustFile,
      profile: dynamics365,
      accountId: 'AC0123',
      domain: 'sbc.example',
      provisionalTimeoutMs: over.finalTimeoutMs ?? 3_000,
      finalTimeoutMs: 3_000,
      ...over,
      recorders: recorders.map((recorder, place) => (typeof recorder === 'string' ? { recorder, place } : recorder)),
    };
    const registry = new Registry();
    const logs: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void logs.push(JSON.parse(line)) };
    const log = createLogger({ name: 'test', instance: 'test', level: 'info', destination });
    const made = new SipRecorderClient({ contoso: tenant }, { log, metrics: registry, ...options });
    this.closing.push(() => made.close());
    const metric = async (name: string, labels: Readonly<Record<string, string>> = {}) => {
      const found = await registry.getSingleMetric(`sidestream_recorder_${name}`)?.get();
      return found?.values
        .filter((value) =>
          Object.entries(labels).every(([key, wanted]) => String(Reflect.get(value.labels, key)) === wanted),
        )
        .reduce((sum, { value }) => sum + value, 0);
    };
    return Object.assign(made, { logs, metric });
  }

  /** Forwards connections to a recorder until they are told to go silent. */
  async proxyTo(recorder: TestRecorder) {
    const pairs: [Socket, Socket][] = [];
    let connections = 0;
    const server = createServer((from) => {
      connections += 1;
      const to = connect(recorder.port, '127.0.0.1');
      pairs.push([from, to]);
      from.pipe(to).pipe(from);
      for (const socket of [from, to]) socket.on('error', () => socket.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    this.closing.push(async () => {
      for (const socket of pairs.flat()) socket.destroy();
      server.close();
    });
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    return {
      uri: `sip:SRS@127.0.0.1:${address.port}`,
      connections: () => connections,
      nextConnection: () => once(server, 'connection'),
      reset: () => {
        for (const [from, to] of pairs.splice(0)) for (const socket of [from, to]) socket.resetAndDestroy();
      },
      silence: () => {
        for (const [from, to] of pairs) {
          from.unpipe(to);
          to.unpipe(from);
          from.resume();
        }
      },
    };
  }
}
