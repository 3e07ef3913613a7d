/** Tells before a test whether the machine has the real parts that it needs. */
import { type Peer, PeerError, type PeerResult } from './peer.js';

/** What a test does to its peers beyond talking to them. */
export interface PeerNeeds {
  /** It kills them or starts them at ports of its choice, which a peer that the environment names does not allow. */
  killable?: boolean;
}

/**
 * Starts and stops each peer once, side by side: `await reasonToSkip([startNats, startRtpengine])` for `t.skip(reason)`
 * or `{ skip: reason }`; undefined = there is none. Rejects as the starts do, so with PeerError `absent` where CI is set.
 */
export async function reasonToSkip(
  starts: readonly (() => Promise<PeerResult<Peer>>)[],
  needs: PeerNeeds = {},
): Promise<string | undefined> {
  const results = await Promise.all(starts.map((start) => start()));
  await Promise.all(results.map(({ peer }) => peer?.stop()));
  for (const { peer, reason } of results) {
    if (peer === undefined) return reason;
    if (needs.killable && peer.how === 'environment') return `${peer.kind} of the environment is not killed from here`;
  }
  return undefined;
}

/** The peer of a result, for tests that got past {@link reasonToSkip}. @throws PeerError `absent` with the reason */
export function requirePeer<P extends Peer>({ peer, reason }: PeerResult<P>): P {
  if (peer === undefined) throw new PeerError('absent', reason ?? 'a peer is absent');
  return peer;
}
