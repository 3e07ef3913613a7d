// One deployment with many lanes. Each has a tenant with two recorders of its own, so that calls, breakers and connections of
// one are no business of another.
import { customerHost, Laboratory, type Orphans, sellerHost } from '@sidestream/cli';
import { freeUdpPort } from '@sidestream/peers';
import type { EventBody } from '@sidestream/service';
import { Identities, Lane, type LaneOptions } from './lane.js';

type Bodies<K extends EventBody['$case']> = Extract<EventBody, { $case: K }>['value'];

/** See the module's head. */
export class BehaviourStage {
  readonly laboratory: Laboratory;
  readonly #lanes: ReadonlyMap<LaneOptions, Lane>;
  readonly #identities: Identities;

  private constructor(laboratory: Laboratory, lanes: ReadonlyMap<LaneOptions, Lane>, identities: Identities) {
    this.laboratory = laboratory;
    this.#lanes = lanes;
    this.#identities = identities;
  }

  static async start(wanted: readonly LaneOptions[]): Promise<BehaviourStage> {
    const identities = await Identities.create();
    const lanes: Lane[] = [];
    try {
      for (const options of wanted) lanes.push(await Lane.open(options, lanes.length + 1, identities));
      const laboratory = await Laboratory.start({
        customerTarget: `${customerHost}:${await freeUdpPort(customerHost)}`,
        sellerTarget: `${sellerHost}:${await freeUdpPort(sellerHost)}`,
        recorder: false,
        configure: (config) => {
          // The shortest silence of a recorder that may count.
          config.mediaRelay.forks = { lookEvery: '1s', recorderSilentAfter: '15s' };
          for (const lane of lanes) lane.configure(config);
        },
      });
      return new BehaviourStage(laboratory, new Map(lanes.map((lane) => [lane.options, lane])), identities);
    } catch (error) {
      await Promise.all(lanes.map((lane) => lane.close()));
      await identities.remove();
      throw error;
    }
  }

  /** The lane that was opened with these very options. */
  lane(options: LaneOptions): Lane {
    const lane = this.#lanes.get(options);
    if (lane === undefined) throw new Error('no lane was opened with these options');
    return lane;
  }

  /** The events of one kind of a lane's only call. */
  events<K extends EventBody['$case']>(lane: Lane, kind: K): Bodies<K>[] {
    const callId = this.laboratory.bodies('callStarted').find(({ tenant }) => tenant === lane.tenant)?.callId;
    return this.laboratory.events.flatMap(({ body }) =>
      // The discriminant says which value it is; the compiler can't follow it through a generic key.
      body?.$case === kind && 'callId' in body.value && body.value.callId === callId ? [body.value as Bodies<K>] : [],
    );
  }

  /** What is left in edge, rtpengine and signalling; of no lane in particular. */
  orphans(): Promise<Orphans> {
    return this.laboratory.orphans();
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#lanes.values()].map(({ customer, seller }) => Promise.all([customer.close(), seller.close()])),
    );
    await this.laboratory.stop();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
    await this.#identities.remove();
  }
}
