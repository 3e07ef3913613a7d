// The embedded edge as a process of its own, and SIP parties that talk to it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { formatHostPort, type HostPort, parseHostPort } from '@sidestream/service';
import { type IncomingInvite, type OutgoingInvite, Transports, UserAgent } from '@sidestream/sip';

const edgeMain = fileURLToPath(new URL('../../../sip-edge/dist/main.js', import.meta.url));

export class TestEdge {
  readonly secret = 'test-secret';
  readonly admin: HostPort;
  readonly sip: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string, addresses: Record<string, string>) {
    this.#process = process;
    this.#folder = folder;
    this.admin = parseHostPort((addresses['admin'] ?? '').replace('tcp://', ''));
    this.sip = addresses['sip.udp'] ?? '';
  }

  /** @param trunks instead of one trunk at 127.0.0.1 */
  static async start(trunks?: object): Promise<TestEdge> {
    const folder = mkdtempSync(join(tmpdir(), 'sidestream-edge-'));
    const at = (name: string) => join(folder, name);
    for (const name of ['cert.pem', 'key.pem', 'policy.yaml']) writeFileSync(at(name), '');
    // Any password: the edge reads none.
    writeFileSync(at('password'), 'never read');
    writeFileSync(at('secret'), 'test-secret');
    writeFileSync(
      at('sidestream.yaml'),
      JSON.stringify(trunks === undefined ? configuration : { ...configuration, trunks }),
    );
    const child = spawn(process.execPath, [edgeMain], {
      env: { SIDESTREAM_CONFIG: at('sidestream.yaml'), SIDESTREAM_EDGE_SECRET_FILE: at('secret') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const status: unknown = JSON.parse(line);
      if (isReady(status)) return new TestEdge(child, folder, status.addresses);
    }
    throw new Error('sip-edge ended before it was ready');
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill(signal);
    await gone;
  }
}

/** A phone on UDP. */
export class TestParty {
  readonly #transports = new Transports();
  readonly agent = new UserAgent({
    transports: this.#transports,
    allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'NOTIFY', 'REFER'],
  });
  #address: HostPort = { host: '', port: 0 };

  static async start(): Promise<TestParty> {
    const party = new TestParty();
    party.#address = await party.#transports.listen({ protocol: 'udp', host: '127.0.0.1', port: 0 });
    return party;
  }

  get address(): string {
    return formatHostPort(this.#address);
  }

  call(
    edge: TestEdge,
    o: { body?: string; ack?: string; signal?: AbortSignal; onProvisional?: (status: number) => void } = {},
  ): Promise<OutgoingInvite> {
    return this.agent.invite({
      target: this.#target(edge),
      uri: `sip:+15550001@${edge.sip}`,
      from: '"Ann" <sip:+15559999@carrier.example>',
      contact: `<sip:ann@${this.address}>`,
      signal: o.signal,
      onProvisional: (response) => o.onProvisional?.(response.status),
      ...(o.ack === undefined ? {} : { answerOffer: () => ({ body: o.ack ?? '', contentType: 'application/sdp' }) }),
      ...(o.body === undefined ? {} : { body: o.body, contentType: 'application/sdp' }),
    });
  }

  async options(edge: TestEdge): Promise<number> {
    const uri = `sip:${edge.sip}`;
    const response = await this.agent.request({
      target: this.#target(edge),
      method: 'OPTIONS',
      uri,
      from: '<sip:ann@carrier.example>',
    });
    return response.status;
  }

  async nextInvite(): Promise<IncomingInvite> {
    const [invite] = await once(this.agent, 'invite');
    return invite;
  }

  async close(): Promise<void> {
    await this.agent.close();
    await this.#transports.close();
  }

  #target(edge: TestEdge) {
    return { protocol: 'udp', ...parseHostPort(edge.sip), local: this.#address } as const;
  }
}

const configuration = {
  nats: { servers: ['nats://127.0.0.1:1'] },
  regions: { eastus: { recorders: ['eastus'] } },
  tenants: {
    contoso: {
      accountId: 'AC0123',
      region: 'eastus',
      recording: { identity: { certFile: 'cert.pem', keyFile: 'key.pem' } },
      policy: { source: 'file', file: 'policy.yaml' },
    },
  },
  trunks: {
    carrier: {
      tenant: 'contoso',
      side: 'customer',
      peers: ['127.0.0.1/32'],
      targets: ['sip:127.0.0.1:9'],
      routes: [{ to: 'carrier' }],
    },
  },
  signalling: { listen: ['udp:127.0.0.1:0'] },
  mediaRelay: { rtpengine: { ng: '127.0.0.1:9' } },
  log: { level: 'error' },
};

function isReady(status: unknown): status is { addresses: Record<string, string> } {
  return (
    typeof status === 'object' && status !== null && 'ready' in status && status.ready === true && 'addresses' in status
  );
}
