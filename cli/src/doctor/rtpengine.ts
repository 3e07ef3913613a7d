// Check `rtpengine`: it answers, and forks as recordings need it. That is tried: a session of a few milliseconds, to which nobody sends.
import { randomBytes } from 'node:crypto';
import { NgClient, type NgDictionary, NgError, Rtpengine } from '@sidestream/media-relay/engine';
import { isLoopback, parseHostPort, SidestreamError } from '@sidestream/service';
import { type Check, type Finding, fail, ok } from './check.js';
import { judgeCapacity, mediaPorts } from './engine-capacity.js';
import type { Examined } from './examined.js';
import { recorderPlaces } from './places.js';
import { reasonOf } from './reason.js';

const suite = 'AES_CM_128_HMAC_SHA1_80';
const where = 'mediaRelay.rtpengine.ng';

export const rtpengineCheck: Check = {
  name: 'rtpengine',
  about: 'answers, its version, a fork on trial with the suite of recorders, its address, its ports against the calls',
  probes: (examined) => [
    {
      where,
      todo: 'start rtpengine with --listen-ng at this address, or correct the address',
      run: (signal) => examine(examined, signal),
    },
  ],
};

async function examine(examined: Examined, signal: AbortSignal): Promise<Finding[]> {
  const address = parseHostPort(examined.config.mediaRelay.rtpengine.ng);
  const client = new NgClient({ address, deadlineMs: examined.timeoutMs * 0.8 });
  try {
    const { result } = await client.request({ command: 'ping' }, signal);
    if (result !== 'pong')
      return [fail(where, `${client.address} answers, but not as rtpengine does`, 'name the ng port, not another one')];
    const { statistics } = await client.request({ command: 'statistics' }, signal);
    return [
      ...(await tryFork(examined, client, signal)),
      ...judgeCapacity(where, mediaPorts(statistics), examined.config, recordersAtOnce(examined)),
    ];
  } catch (error) {
    signal.throwIfAborted();
    const isSilent = error instanceof NgError && error.failure === 'timeout';
    const todo = isSilent
      ? 'something holds the port and is no rtpengine, or rtpengine hangs: look at its log'
      : 'start rtpengine with --listen-ng at this address, or correct the address';
    return [fail(where, reasonOf(error), todo)];
  } finally {
    await client.close();
  }
}

/** Opens a session between two parties that send nothing, offers a copy of it, and ends it. */
async function tryFork(examined: Examined, client: NgClient, signal: AbortSignal): Promise<Finding[]> {
  let told = '';
  const listening = {
    address: client.address,
    request: async (...asked: Parameters<NgClient['request']>): Promise<NgDictionary> => {
      const reply = await client.request(...asked);
      if (asked[0].command === 'subscribe request') told = String(reply['sdp'] ?? '');
      return reply;
    },
  };
  const engine = new Rtpengine(listening, `doctor-${randomBytes(4).toString('hex')}`);
  const session = randomBytes(8).toString('hex');
  try {
    const relaying = { srtp: 'off', transcode: [], answered: false } as const;
    await engine.offer(session, 'customer', silentParty, relaying, signal);
    await engine.answer(session, 'seller', silentParty, signal);
    const fork = { id: 'trial', sealed: false };
    const { streams } = await engine.offerFork(session, fork, ['customer', 'seller'], undefined, signal);
    const version = /^s=rtpengine-(\S+)/m.exec(told)?.[1];
    const named = version === undefined ? 'rtpengine' : `rtpengine ${version}`;
    return [
      ok(where, `${named} at ${client.address}: forks both voices as RTP/SAVP, ${suite}`),
      ...judgeMediaAddress(where, streams[0]?.address ?? '', await addressesOfRecorders(examined)),
    ];
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = SidestreamError.from(error);
    const isFull = code === 'overloaded';
    const todo = isFull
      ? 'it is full: give it more ports (--port-min, --port-max) or more instances'
      : 'it must be 10.5 or later with its subscribe commands';
    return [fail(where, `a fork on trial failed: ${message}`, todo)];
  } finally {
    // Its signal is one of its own: what was opened is ended, whatever became of the trial.
    await engine.close(session, new AbortController().signal, false).catch(() => undefined);
  }
}

/** Port 9 is nobody's, and nothing comes that could be sent there. */
const silentParty = [
  ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
  ...['m=audio 9 RTP/AVP 0 101', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000', 'a=sendrecv', ''],
].join('\r\n');

/**
 * @param address from which the engine sends what recorders get
 * @param recorders their addresses
 */
export function judgeMediaAddress(at: string, address: string, recorders: readonly string[]): Finding[] {
  const beyond = recorders.find((recorder) => !isLoopback(recorder));
  if (beyond === undefined || !isLoopback(address)) return [];
  const what = `its media address is ${address}: nothing of it reaches the recorder at ${beyond}, nor parties elsewhere`;
  return [fail(at, what, 'start it with --interface=ADDRESS, or ADDRESS!ADVERTISED behind NAT')];
}

/** Of names that are not found dns tells. */
async function addressesOfRecorders(examined: Examined): Promise<string[]> {
  const found = recorderPlaces(examined).map(({ host }) => examined.addressesOf(host).catch(() => []));
  return (await Promise.all(found)).flat();
}

/** How many recorders a call goes to at a time, at most. */
function recordersAtOnce(examined: Examined): number {
  const places = recorderPlaces(examined);
  const counts = examined.tenants.map(([name, { recording }]) => {
    const own = places.filter(({ tenantName }) => tenantName === name).length;
    return recording.parallel === 'off' ? Math.min(1, own) : own;
  });
  return Math.max(0, ...counts);
}
