// Two ways between the same two sipps, over the same rtpengine: Sidestream and Kamailio. One call at a time.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { customerHost, Laboratory, listedSeller, sellerHost, unlistedSeller } from '@sidestream/cli';
import { freeUdpPort, type KamailioPeer, requirePeer, runSipp, sippListens, startKamailio } from '@sidestream/peers';
import { messageTimes } from './message-times.js';

const uasScenario = fileURLToPath(new URL('../../../bench/call/uas.xml', import.meta.url));
const uacScenario = fileURLToPath(new URL('../../../bench/pdd/uac.xml', import.meta.url));
const sippSeconds = 60;

/** Between what calls are made. */
export type Way = 'sidestream' | 'recorded' | 'kamailio';

/** What the way added to each call, in milliseconds. */
export interface AddedDelays {
  readonly invite: readonly number[];
  readonly ringing: readonly number[];
  readonly answer: readonly number[];
}

/** Kamailio as a carrier's proxy would have it: record-routed, with rtpengine in both directions. */
function proxyScript(ng: string, target: string): string {
  return `loadmodule "rr.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "rtpengine.so"
modparam("rtpengine", "rtpengine_sock", "udp:${ng}")
route[WORK] {
  if (has_totag()) {
    if (!loose_route()) { exit; }
    if (is_method("BYE")) { rtpengine_delete(); }
    t_relay();
    exit;
  }
  if (!is_method("INVITE")) { exit; }
  record_route();
  rtpengine_offer("replace-origin replace-session-connection");
  t_on_reply("ANSWER");
  $du = "sip:${target}";
  t_relay();
}
onreply_route[ANSWER] {
  if (has_body("application/sdp")) { rtpengine_answer("replace-origin replace-session-connection"); }
}`;
}

export class PddSite {
  readonly #laboratory: Laboratory;
  readonly #kamailio: KamailioPeer;
  readonly #sellerPort: number;

  private constructor(laboratory: Laboratory, kamailio: KamailioPeer, sellerPort: number) {
    this.#laboratory = laboratory;
    this.#kamailio = kamailio;
    this.#sellerPort = sellerPort;
  }

  static async start(): Promise<PddSite> {
    const sellerPort = await freeUdpPort(sellerHost);
    const target = `${sellerHost}:${sellerPort}`;
    const laboratory = await Laboratory.start({
      customerTarget: `${customerHost}:${await freeUdpPort(customerHost)}`,
      sellerTarget: target,
      configure: (config) => {
        config.log = { level: 'warn' };
      },
    });
    try {
      const kamailio = requirePeer(await startKamailio({ script: proxyScript(laboratory.rtpengine.ng, target) }));
      return new PddSite(laboratory, kamailio, sellerPort);
    } catch (error) {
      await laboratory.stop();
      throw error;
    }
  }

  /** Makes so many calls, one after the other. @throws Error when one of them fails */
  async run(way: Way, calls: number): Promise<AddedDelays> {
    const directory = await mkdtemp(join(tmpdir(), 'sidestream-pdd-'));
    const over = new AbortController();
    try {
      const { host, port } = this.#kamailio;
      const server = way === 'kamailio' ? `${host}:${port}` : this.#laboratory.sipAddress('udp');
      const { number } = way === 'recorded' ? listedSeller : unlistedSeller;
      const sipp = (name: string, args: readonly string[]) => {
        const trace = ['-trace_msg', '-message_file', join(directory, name)];
        const bounds = ['-m', String(calls), '-timeout', String(sippSeconds), '-timeout_error'];
        return runSipp([...args, '-t', 'u1', ...bounds, ...trace], over.signal);
      };
      const answering = sipp('callee', ['-sf', uasScenario, '-i', sellerHost, '-p', String(this.#sellerPort)]);
      await sippListens('udp', this.#sellerPort, undefined, sellerHost);
      const { code, output } = await sipp('caller', [
        ...[
          '-sf',
          uacScenario,
          server,
          '-s',
          number,
          '-i',
          customerHost,
          '-p',
          String(await freeUdpPort(customerHost)),
        ],
        ...['-l', '1', '-r', '100'],
      ]);
      if (code !== 0) over.abort();
      const answered = await answering;
      if (code !== 0 || answered.code !== 0) throw new Error(`calls by way of ${way} failed: ${output.slice(-2_000)}`);
      const [caller, callee] = [
        await readFile(join(directory, 'caller'), 'utf8'),
        await readFile(join(directory, 'callee'), 'utf8'),
      ];
      const outwards = (line: RegExp) =>
        between(messageTimes(caller, 'sent', line), messageTimes(callee, 'received', line));
      const back = (line: RegExp) =>
        between(messageTimes(callee, 'sent', line), messageTimes(caller, 'received', line));
      const delays = {
        invite: outwards(/^INVITE /),
        ringing: back(/^SIP\/2\.0 180 /),
        // The next 200 is that of the BYE.
        answer: back(/^SIP\/2\.0 200 /).filter((_, index) => index % 2 === 0),
      };
      for (const each of Object.values(delays))
        if (each.length !== calls) throw new Error(`${each.length} times of ${calls} calls: a message came twice`);
      return delays;
    } finally {
      over.abort();
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Seconds and count of a histogram, so far. */
  async histogram(service: string, name: string, labels: string): Promise<{ seconds: number; count: number }> {
    const [seconds, count] = await Promise.all([
      this.#laboratory.metric(service, `${name}_sum`, labels),
      this.#laboratory.metric(service, `${name}_count`, labels),
    ]);
    return { seconds, count };
  }

  async stop(): Promise<void> {
    await this.#kamailio.stop();
    await this.#laboratory.stop();
  }
}

function between(from: readonly number[], to: readonly number[]): number[] {
  return to.map((time, index) => time - (from[index] ?? Number.NaN));
}
