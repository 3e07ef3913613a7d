// The call of `sidestream test-call`: two parties of our own who speak, one calls the other through a deployment, and hangs up.
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { formatHostPort, SidestreamError } from '@sidestream/service';
import { customerSpeech, type PartyCall, PartySimulator, sellerSpeech } from '@sidestream/simulators';
import type { Target } from '@sidestream/sip';
import { orAborted } from './or-aborted.js';

export interface TestCallPlan {
  /** Whom to call, `sip:number@host:port`. */
  readonly uri: string;
  /** Number, or user, of that URI. */
  readonly called: string;
  readonly target: Target;
  /** Number, or user, of the caller. */
  readonly from: string;
  /** Our address as caller. */
  readonly host: string;
  /** Where the deployment finds the called party. */
  readonly answer: { readonly protocol: 'udp' | 'tcp'; readonly host: string; readonly port: number };
  readonly talkMs: number;
}

/** A call that was answered by our own party, and is over. */
export interface TestCall {
  readonly caller: PartyCall;
  readonly called: PartyCall;
  /** Milliseconds since the epoch; nobody spoke any more from then on. */
  readonly hungUpAt: number;
}

/** What an operator looks at first. */
const hints: Readonly<Record<number, string>> = {
  401: "the trunk wants a login, and a test call has none: give it a trunk that is known by its address ('peers')",
  403: "no trunk has this address among its 'peers'",
  404: 'no route of the trunk takes this number',
  488: 'the deployment takes no G.711 from this trunk, or wants SRTP',
  503: 'it drains, is full, or has no media relay or recorder that it needs',
};

/**
 * Places the call, lets both speak and hangs up; leaves nothing behind.
 *
 * @throws SidestreamError `bad-request` for an address that is not ours, `not-ready` when the call is refused or answered by somebody
 *   else; the signal's reason
 */
export async function placeTestCall(plan: TestCallPlan, signal: AbortSignal): Promise<TestCall> {
  const { uri, called: number, from, host, answer, target, talkMs } = plan;
  const called = await start({ name: 'Test call, called', uri: number, at: answer, wav: sellerSpeech });
  try {
    const at = { protocol: target.protocol === 'tcp' ? 'tcp' : 'udp', host, port: 0 } as const;
    const caller = await start({ name: 'Test call, caller', uri: from, at, wav: customerSpeech });
    try {
      const came: PartyCall[] = [];
      called.on('call', (call) => came.push(call));
      const placed = await caller.call(uri, { target: { ...target, local: caller.address } });
      await orAborted(placed.answered, signal).catch(async (error: unknown) => {
        signal.throwIfAborted();
        const { status, reason = String(error) } = await placed.ended;
        const hint = hints[status ?? 0];
        throw new SidestreamError('not-ready', `${uri}: ${reason}${hint === undefined ? '' : `: ${hint}`}`);
      });
      const [received] = came;
      if (received === undefined) {
        const where = formatHostPort(called.address);
        throw new SidestreamError(
          'not-ready',
          `${uri} was answered, but not by ${where}: no target of its route is there`,
        );
      }
      await delay(talkMs, undefined, { signal });
      const hungUpAt = Date.now();
      received.fallSilent();
      await orAborted(Promise.all([placed.hangUp(), received.ended]), signal);
      return { caller: placed, called: received, hungUpAt };
    } finally {
      await caller.close();
    }
  } finally {
    await called.close();
  }
}

/** The address behind a name, and our own that is used to get there. @throws SidestreamError `not-ready` */
export async function reach(host: string, port: number): Promise<{ readonly remote: string; readonly local: string }> {
  const bare = host.replace(/^\[|\]$/g, '');
  try {
    const remote = isIP(bare) === 0 ? (await lookup(bare)).address : bare;
    const socket = createSocket(isIP(remote) === 6 ? 'udp6' : 'udp4');
    try {
      socket.connect(port, remote);
      await once(socket, 'connect');
      return { remote, local: socket.address().address };
    } finally {
      socket.close();
    }
  } catch (error) {
    throw new SidestreamError('not-ready', `${host}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function start(party: {
  readonly name: string;
  readonly uri: string;
  readonly at: TestCallPlan['answer'];
  readonly wav: URL;
}): Promise<PartySimulator> {
  const { name, uri, at, wav } = party;
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  try {
    return await PartySimulator.start({ name, uri: `sip:${uri}@${host}`, listen: at, wav });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SidestreamError('bad-request', `${at.protocol}:${formatHostPort(at)} can't be listened at: ${why}`);
  }
}
