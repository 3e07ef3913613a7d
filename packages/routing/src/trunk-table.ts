// Whose INVITE it is and where it goes: the trunk of a source address, and the targets behind the routes that its call takes, in order.
import type { TrunkConfig } from '@sidestream/service';
import { EmergencyNumbers } from './emergency-numbers.js';
import { type CallNumber, NumberPlan, plainNumber } from './number-plan.js';
import { PeerNetworks } from './peer-networks.js';
import { Route, type RoutedCall } from './route.js';
import { hostOf, inOrder, type Random, readTarget, type Target } from './target.js';

export interface Trunk {
  readonly name: string;
  readonly tenant: string;
  readonly side: TrunkConfig['side'];
  /** All that the configuration says of it. */
  readonly config: TrunkConfig;
}

/** One place to send the INVITE of a call to. */
export interface Candidate extends Target {
  readonly trunk: Trunk;
  /** Whom to ask for there: the called number as the trunk wants it. */
  readonly user: string;
}

/** What an INVITE says that routing needs. */
export interface RouteQuery {
  /** Where it came from. */
  readonly trunk: Trunk;
  readonly requestUri: string;
  /** User part of who is called. */
  readonly called: string;
  /** User part of the calling party; empty if there is none. */
  readonly calling: string;
  header(name: string): string | undefined;
}

/** Where a call goes. */
export interface Routing {
  readonly called: CallNumber;
  readonly calling: CallNumber;
  /** Best first, each once; empty if no route takes the call. */
  readonly trunks: readonly Trunk[];
}

interface Entry {
  readonly trunk: Trunk;
  readonly plan: NumberPlan;
  readonly targets: readonly Target[];
  readonly routes: readonly Route[];
}

/** An immutable view of the configured trunks. */
export class TrunkTable {
  readonly #entries = new Map<string, Entry>();
  readonly #networks: PeerNetworks<Trunk>;
  readonly #emergency: EmergencyNumbers;

  constructor(trunks: Readonly<Record<string, TrunkConfig>>, emergency = new EmergencyNumbers([])) {
    this.#emergency = emergency;
    const peers: [Trunk, string][] = [];
    for (const [name, config] of Object.entries(trunks)) {
      const { tenant, side, transport } = config;
      const trunk: Trunk = { name, tenant, side, config };
      const targets = config.targets.map((target) => readTarget(target, transport));
      const routes = config.routes.map((route) => new Route(route));
      this.#entries.set(name, { trunk, plan: new NumberPlan(config.numbers), targets, routes });
      const named = config.peers.length > 0 ? config.peers : targets.map(({ hostPort }) => hostOf(hostPort));
      for (const peer of named) peers.push([trunk, peer]);
    }
    this.#networks = new PeerNetworks(peers);
  }

  /** Every target of every trunk. */
  get targets(): readonly (Target & { readonly trunk: Trunk })[] {
    return [...this.#entries.values()].flatMap(({ trunk, targets }) => targets.map((target) => ({ ...target, trunk })));
  }

  find(name: string): Trunk | undefined {
    return this.#entries.get(name)?.trunk;
  }

  /**
   * The trunk that a request from this address belongs to; undefined for a stranger. A target's own address and port come first, so
   * that two trunks of one host stay apart; then the longest prefix decides.
   */
  ofSource(address: string, port: number): Trunk | undefined {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/^\[|\]$/g, '');
    for (const { trunk, targets } of this.#entries.values()) {
      if (targets.some((target) => target.hostPort === `${plain}:${port}` || target.hostPort === `[${plain}]:${port}`))
        return trunk;
    }
    return this.#networks.find(plain);
  }

  /** Whether somebody calls for help: to be known before anything else is looked at. */
  isEmergency(called: string, requestUri: string): boolean {
    return this.#emergency.dialled(called, requestUri) !== undefined;
  }

  /**
   * Where a call goes. Every route that takes it counts, in their order: what a later one leads to is tried after what an earlier
   * one leads to. An emergency call that no route takes goes wherever any route leads to, rather than nowhere.
   *
   * @param note hears each step in words, numbers included.
   */
  route(query: RouteQuery, note?: (step: string) => void): Routing {
    const entry = this.#entries.get(query.trunk.name);
    const called = this.#called({ ...query, called: plainNumber(query.called) }, entry?.plan);
    const calling = entry?.plan.calling(plainNumber(query.calling)) ?? {
      dialled: query.calling,
      international: undefined,
      emergency: false,
    };
    note?.(`call from trunk ${query.trunk.name}, tenant ${query.trunk.tenant}`);
    note?.(`called ${query.called || '(nobody)'}: ${described(called)}`);
    if (query.calling !== '') note?.(`calling ${query.calling}: ${described(calling)}`);
    const call: RoutedCall = { called, calling, header: (name) => query.header(name) };
    const routes = entry?.routes ?? [];
    for (const [index, route] of routes.entries()) note?.(`route ${index} ${route.verdict(call)}`);
    let taken = routes.filter((route) => route.matches(call));
    if (taken.length === 0 && called.emergency) {
      note?.('no route takes the emergency call: every one of them is tried');
      taken = [...routes];
    }
    const names = new Set(taken.flatMap(({ to }) => to));
    return { called, calling, trunks: [...names].flatMap((name) => this.#entries.get(name)?.trunk ?? []) };
  }

  /** The places to try, best first; in an order of its own for each call where equals share the calls. */
  candidates({ trunks, called }: Routing, random: Random = Math.random): readonly Candidate[] {
    return trunks.flatMap((trunk) => {
      const entry = this.#entries.get(trunk.name);
      if (entry === undefined) return [];
      const user = entry.plan.outgoingCalled(called);
      return inOrder(entry.targets, random).map((target) => ({ ...target, trunk, user }));
    });
  }

  /** The number of a caller, or of who diverted the call, as it came from one trunk and as another one wants it. */
  callerNumber(from: Trunk, to: Trunk, user: string): string {
    const number = this.#entries.get(from.name)?.plan.calling(plainNumber(user));
    return (number && this.#entries.get(to.name)?.plan.outgoing(number)) ?? user;
  }

  #called({ called, requestUri }: RouteQuery, plan: NumberPlan | undefined): CallNumber {
    // Before any plan could change it: 112 is 112 wherever it is dialled.
    const help = this.#emergency.dialled(called, requestUri);
    if (help !== undefined) return { dialled: help, international: undefined, emergency: true };
    return plan?.called(called) ?? { dialled: called, international: undefined, emergency: false };
  }
}

function described({ dialled, international, emergency }: CallNumber): string {
  if (emergency) return `an emergency call, dialled as ${dialled} without any change`;
  const taken = `taken as ${dialled || '(nobody)'}`;
  return international === undefined ? `${taken}, no E.164 number is known` : `${taken}, which is ${international}`;
}
