// A call through a relay on the real rtpengine: two parties with RTP, and recorders.
import type { ForkStream, Party } from '../domain/ports.js';
import type { Relay } from '../domain/relay.js';
import { RtpEndpoint, recorderSdp, relayAnswer } from './rtp-endpoint.js';
import { soon } from './soon.js';

export const bothParties: readonly Party[] = ['customer', 'seller'];

export class TestCall {
  readonly id: string;
  readonly customer: RtpEndpoint;
  readonly seller: RtpEndpoint;
  /** What the relay told each party to send to. */
  towardsCustomer = '';
  towardsSeller = '';
  readonly #relay: Relay;
  readonly #opened: RtpEndpoint[];

  private constructor(relay: Relay, id: string, customer: RtpEndpoint, seller: RtpEndpoint) {
    this.#relay = relay;
    this.id = id;
    this.customer = customer;
    this.seller = seller;
    this.#opened = [customer, seller];
  }

  /** The customer calls, the seller answers. */
  static async connect(relay: Relay, id: string, payloadTypes = '0', attributes = ''): Promise<TestCall> {
    const call = new TestCall(relay, id, await RtpEndpoint.open(), await RtpEndpoint.open());
    const [offer, answer] = [call.customer.sdp(payloadTypes, attributes), call.seller.sdp(payloadTypes, attributes)];
    call.towardsSeller = await relay.openSession(id, 'customer', offer, soon());
    call.towardsCustomer = await relay.answerSession(id, 'seller', answer, soon());
    return call;
  }

  /** A re-INVITE by the customer, which the seller answers. */
  async renegotiate(customer: string, seller = customer): Promise<void> {
    this.towardsSeller = await this.#relay.updateSession(this.id, 'customer', this.customer.sdp(customer), soon());
    this.towardsCustomer = await this.#relay.answerSession(this.id, 'seller', this.seller.sdp(seller), soon());
  }

  /** Both talk; resolves when both have heard it all. @returns the payloads that each sent. */
  async talk(count = 20, payloadType = 0): Promise<{ customer: Buffer[]; seller: Buffer[] }> {
    const heardBySeller = this.seller.from(this.customer.ssrc).length;
    const heardByCustomer = this.customer.from(this.seller.ssrc).length;
    const said = {
      customer: this.customer.send(this.towardsCustomer, count, payloadType),
      seller: this.seller.send(this.towardsSeller, count, payloadType),
    };
    await this.seller.has(heardBySeller + count, this.customer.ssrc);
    await this.customer.has(heardByCustomer + count, this.seller.ssrc);
    return said;
  }

  /** A new recorder with one socket per stream. */
  async recorder(): Promise<[RtpEndpoint, RtpEndpoint]> {
    const recorder: [RtpEndpoint, RtpEndpoint] = [await RtpEndpoint.open(), await RtpEndpoint.open()];
    this.#opened.push(...recorder);
    return recorder;
  }

  /** Starts a fork and has it answered. */
  async fork(forkId: string, recorder: readonly RtpEndpoint[], parties = bothParties): Promise<readonly ForkStream[]> {
    const streams = await this.#relay.startFork(this.id, forkId, parties, soon());
    await this.#relay.answerFork(this.id, forkId, recorderSdp(recorder), soon());
    return streams;
  }

  /** Starts a fork and gives it the answer that signalling writes. */
  async forkTo(
    forkId: string,
    streams: readonly (RtpEndpoint | undefined)[],
    payloadTypes?: string,
  ): Promise<readonly ForkStream[]> {
    const offered = await this.#relay.startFork(this.id, forkId, bothParties, soon());
    await this.#relay.answerFork(this.id, forkId, relayAnswer(streams, payloadTypes), soon());
    return offered;
  }

  close(): void {
    for (const endpoint of this.#opened) endpoint.close();
  }
}
