// What every part of the contract needs: an edge and peers that are closed again whatever a test does.
import { after, before } from 'node:test';
import { connectApp, type DrachtioApp } from './drachtio-app.js';
import type { EdgeHandle, EdgeUnderTest } from './edge-handle.js';
import { RawPeer } from './raw-peer.js';

/** One edge for the tests of a suite. */
export class ContractBench<E extends EdgeHandle = EdgeHandle> {
  readonly #under: EdgeUnderTest<E>;
  readonly #options: { t1?: number };
  #edge: E | undefined;

  /** Call it inside a suite: it starts the edge before and stops it after its tests. */
  constructor(under: EdgeUnderTest<E>, options: { t1?: number } = {}) {
    this.#under = under;
    this.#options = options;
    before(async () => {
      this.#edge = await under.start(this.#options);
    });
    after(async () => {
      await this.#edge?.stop();
    });
  }

  get edge(): E {
    if (this.#edge === undefined) throw new Error(`${this.#under.name} has not been started`);
    return this.#edge;
  }

  /** Runs one test with an application and peers, and closes them. */
  async run(
    route: (app: DrachtioApp) => void,
    body: (tools: { app: DrachtioApp; edge: E; peer: PeerMaker }) => Promise<void>,
  ): Promise<void> {
    const peers: RawPeer[] = [];
    const keep = async (made: Promise<RawPeer>): Promise<RawPeer> => {
      peers.push(await made);
      return made;
    };
    const { edge } = this;
    const app = await connectApp(edge, route);
    try {
      await body({
        app,
        edge,
        peer: {
          udp: () => keep(RawPeer.udp(edge.udp)),
          tcp: () => keep(RawPeer.tcp(edge.tcp)),
          tcpServer: () => keep(RawPeer.tcpServer(edge.tcp)),
        },
      });
    } finally {
      app.disconnect();
      await Promise.all(peers.map((peer) => peer.close()));
    }
  }
}

export interface PeerMaker {
  udp(): Promise<RawPeer>;
  tcp(): Promise<RawPeer>;
  tcpServer(): Promise<RawPeer>;
}
