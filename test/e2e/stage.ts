// The stage of the end-to-end tests: a laboratory between a customer and a seller who really speak. Whatever a test does, no log line of
// its services may hold a secret, or a number of the two.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { customerHost, Laboratory, type LaboratoryOptions, listedSeller, sellerHost } from '@sidestream/cli';
import { eventually, reasonToSkip, startNats, startRtpengine } from '@sidestream/peers';
import {
  customerSpeech,
  type PartyCall,
  type PartyOptions,
  PartySimulator,
  sellerSpeech,
} from '@sidestream/simulators';
import { anyFormOf, type Finding, findSecrets, type Known } from '../monitoring/secrets.js';

export const customerNumber = '+4915112345678';

/** The parties' numbers without the +49 before. */
export const numbers: readonly Known[] = [
  ['the number of the customer', anyFormOf(customerNumber.slice(3))],
  ['the number of the seller', anyFormOf(listedSeller.number.slice(3))],
];

/** Looked for once: the machine doesn't change while the tests run. */
let partsMissing: Promise<string | undefined> | undefined;

export interface StageOptions extends Partial<LaboratoryOptions> {
  readonly protocol?: 'udp' | 'tcp';
  readonly customer?: Partial<PartyOptions>;
  readonly seller?: Partial<PartyOptions>;
}

/** An answered call, seen from both of its ends. */
export interface StageCall {
  readonly customer: PartyCall;
  readonly seller: PartyCall;
}

export class Stage {
  readonly laboratory: Laboratory;
  readonly customer: PartySimulator;
  readonly seller: PartySimulator;
  readonly #protocol: 'udp' | 'tcp';

  private constructor(
    laboratory: Laboratory,
    customer: PartySimulator,
    seller: PartySimulator,
    protocol: 'udp' | 'tcp',
  ) {
    this.laboratory = laboratory;
    this.customer = customer;
    this.seller = seller;
    this.#protocol = protocol;
  }

  /** Undefined, with the test skipped, where the machine lacks the real parts (an error where CI demands them). */
  static async start(t: TestContext, options: StageOptions = {}): Promise<Stage | undefined> {
    partsMissing ??= reasonToSkip([startNats, startRtpengine]);
    const missing = await partsMissing;
    if (missing !== undefined) {
      t.skip(missing);
      return undefined;
    }
    const { protocol = 'udp' } = options;
    const told: Finding[] = [];
    let known: readonly Known[] = numbers;
    const onLog = (line: string): void => {
      told.push(...findSecrets([[line, line]], known));
      options.onLog?.(line);
    };
    const ends: (() => Promise<unknown>)[] = [async () => assert.deepEqual(told, [], 'a log line holds a secret')];
    t.after(async () => {
      for (const end of ends.reverse()) await end();
    });
    const party = async (host: string, uri: string, wav: URL, more: Partial<PartyOptions> | undefined) => {
      const simulator = await PartySimulator.start({ name: uri, uri, wav, listen: { protocol, host }, ...more });
      ends.push(() => simulator.close());
      return simulator;
    };
    const customer = await party(
      customerHost,
      `sip:${customerNumber}@${customerHost}`,
      customerSpeech,
      options.customer,
    );
    const seller = await party(sellerHost, `sip:${listedSeller.number}@${sellerHost}`, sellerSpeech, options.seller);
    const suffix = protocol === 'tcp' ? ';transport=tcp' : '';
    const laboratory = await Laboratory.start({
      customerTarget: `${customerHost}:${customer.address.port}${suffix}`,
      sellerTarget: `${sellerHost}:${seller.address.port}${suffix}`,
      ...options,
      onLog,
    });
    if (/parties: ["']?shown/.test(readFileSync(laboratory.configFile, 'utf8'))) known = [];
    ends.push(() => laboratory.stop());
    return new Stage(laboratory, customer, seller, protocol);
  }

  /** Where a called number is reached through Sidestream. */
  uri(number: string): string {
    return `sip:${number}@${this.laboratory.sipAddress(this.#protocol)}`;
  }

  /** The customer calls, here or at another edge, and the seller answers. */
  async inbound(number: string = listedSeller.number, uri: string = this.uri(number)): Promise<StageCall> {
    const arriving = new Promise<PartyCall>((resolve) => this.seller.once('call', resolve));
    const customer = await this.customer.call(uri, { answerTimeoutMs: 10_000 });
    await customer.answered;
    return { customer, seller: await arriving };
  }

  /** The seller calls and the customer answers. */
  async outbound(): Promise<StageCall> {
    const arriving = new Promise<PartyCall>((resolve) => this.customer.once('call', resolve));
    const seller = await this.seller.call(this.uri(customerNumber), { answerTimeoutMs: 10_000 });
    await seller.answered;
    return { seller, customer: await arriving };
  }

  /** Waits until both parties have heard so many more packets of each other. */
  async talk(call: StageCall, packets: number): Promise<void> {
    const from = [call.customer, call.seller].map(({ statistics }) => statistics.received);
    await eventually(
      () => [call.customer, call.seller].every((one, index) => one.statistics.received >= (from[index] ?? 0) + packets),
      `both hear ${packets} more packets`,
      packets * 20 + 10_000,
    );
  }

  /** Nothing is left in the edge, in rtpengine, at signalling and at the recorder. */
  async nothingIsLeft(timeoutMs = 10_000): Promise<void> {
    const count = async () => Object.values(await this.laboratory.orphans()).reduce((sum, one) => sum + one, 0);
    await eventually(async () => (await count()) === 0, 'nothing is left', timeoutMs).catch(async (error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(await this.laboratory.orphans())}`);
    });
  }
}
