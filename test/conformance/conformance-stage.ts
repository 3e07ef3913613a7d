// One deployment for all flows. Each flow has addresses, trunks and a tenant of its own, so that many can run at a time.
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { customerHost, Laboratory, type LaboratoryConfig, listedSeller, sellerHost } from '@sidestream/cli';
import { freeUdpPort } from '@sidestream/peers';
import type { EventBody } from '@sidestream/service';
import { flowPassword } from './flows/logins.js';
import type { PartyName, Protocol, Scenario } from './scenario.js';
import type { Step } from './steps.js';

type Bodies<K extends EventBody['$case']> = Extract<EventBody, { $case: K }>['value'];

const customerNumber = '+4915112345678';
const accountId = 'AC00000000000000000000000000000001';

/** A party of a lane that takes part. */
export interface LaneParty {
  readonly name: PartyName;
  readonly number: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly steps: readonly Step[];
}

/** What one flow over one transport has for itself. */
export class ConformanceLane {
  readonly scenario: Scenario;
  readonly protocol: Protocol;
  readonly tenant: string;
  readonly parties: readonly LaneParty[];

  private constructor(scenario: Scenario, protocol: Protocol, tenant: string, parties: readonly LaneParty[]) {
    this.scenario = scenario;
    this.protocol = protocol;
    this.tenant = tenant;
    this.parties = parties;
  }

  /** The lane with this number, from 1; its addresses are its own, the port is the same everywhere. */
  static open(scenario: Scenario, protocol: Protocol, number: number, port: number): ConformanceLane {
    const { caller, callee, third, calleeProtocol = protocol, outbound = false } = scenario;
    const numbers = [customerNumber, listedSeller.number];
    const [from = '', to = ''] = outbound ? numbers.reverse() : numbers;
    const party = (name: PartyName, steps: readonly Step[], last: number, own: string, over: Protocol) => {
      const host = `127.${2 + Math.floor(number / 250)}.${number % 250}.${last}`;
      return { name, number: own, host, port, protocol: over, steps };
    };
    return new ConformanceLane(scenario, protocol, `c${number}`, [
      party('caller', caller, 2, from, protocol),
      party('callee', callee ?? [], 3, to, calleeProtocol),
      ...(third === undefined ? [] : [party('third', third, 4, to, calleeProtocol)]),
    ]);
  }

  /** Adds the lane's tenant and trunks to a configuration. */
  configure(config: LaboratoryConfig, passwordFile: string): void {
    const { outbound = false, callerTrunk, calleeTrunk } = this.scenario;
    const recording = config.tenants['contoso']?.recording;
    if (recording === undefined) throw new Error('the laboratory has no tenant to take the recording of');
    const policy = { source: 'file' as const, file: 'policy.yaml' };
    config.tenants[this.tenant] = { accountId, region: 'local', recording: structuredClone(recording), policy };
    const trunk = (side: 'customer' | 'seller', parties: readonly LaneParty[], to: string) => ({
      tenant: this.tenant,
      side,
      peers: parties.map(({ host }) => `${host}/32`),
      targets: parties.map(({ host, port, protocol }) => `sip:${host}:${port};transport=${protocol}`),
      routes: [{ to: `${this.tenant}-${to}` }],
    });
    const [caller, ...called] = this.parties;
    if (caller === undefined) throw new Error('nobody calls');
    const names = { far: `${this.tenant}-far`, passwordFile };
    const sides = outbound ? (['seller', 'customer'] as const) : (['customer', 'seller'] as const);
    config.trunks[`${this.tenant}-near`] = {
      ...trunk(sides[0], [caller], 'far'),
      ...callerTrunk?.(names),
    };
    config.trunks[`${this.tenant}-far`] = { ...trunk(sides[1], called, 'near'), ...calleeTrunk?.(names) };
  }
}

/** See the module's head. */
export class ConformanceStage {
  readonly laboratory: Laboratory;
  readonly #lanes: readonly ConformanceLane[];
  readonly #directory: string;

  private constructor(laboratory: Laboratory, lanes: readonly ConformanceLane[], directory: string) {
    this.laboratory = laboratory;
    this.#lanes = lanes;
    this.#directory = directory;
  }

  static async start(wanted: readonly { scenario: Scenario; protocol: Protocol }[]): Promise<ConformanceStage> {
    const lanes: ConformanceLane[] = [];
    // Below the system's own range: nobody who lets the system choose takes it on all addresses while flows run.
    const port = randomInt(7_100, 11_900);
    for (const { scenario, protocol } of wanted)
      lanes.push(ConformanceLane.open(scenario, protocol, lanes.length + 1, port));
    const directory = await mkdtemp(join(tmpdir(), 'sidestream-flows-'));
    const passwordFile = join(directory, 'password');
    await writeFile(passwordFile, flowPassword, { mode: 0o600 });
    try {
      const laboratory = await Laboratory.start({
        customerTarget: `${customerHost}:${await freeUdpPort(customerHost)}`,
        sellerTarget: `${sellerHost}:${await freeUdpPort(sellerHost)}`,
        recorder: { keepPackets: 200 },
        configure: (config) => {
          config.log = { level: 'warn' };
          // Flows are tried, not load: a slow machine refuses no call.
          config.signalling = { ...config.signalling, maxLagMs: 10_000 };
          for (const lane of lanes) lane.configure(config, passwordFile);
        },
      });
      return new ConformanceStage(laboratory, lanes, directory);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  lane(scenario: Scenario, protocol: Protocol): ConformanceLane {
    const lane = this.#lanes.find((one) => one.scenario === scenario && one.protocol === protocol);
    if (lane === undefined) throw new Error('no lane was opened for this flow');
    return lane;
  }

  /** The events of one kind of a lane's calls. */
  events<K extends EventBody['$case']>({ tenant }: ConformanceLane, kind: K): Bodies<K>[] {
    const started = this.laboratory.bodies('callStarted').filter((call) => call.tenant === tenant);
    const calls = new Set(started.map(({ callId }) => callId));
    return this.laboratory.events.flatMap(({ body }) =>
      // The discriminant says which value it is; the compiler can't follow it through a generic key.
      body?.$case === kind && 'callId' in body.value && calls.has(body.value.callId) ? [body.value as Bodies<K>] : [],
    );
  }

  async stop(): Promise<void> {
    await this.laboratory.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
