// Whether the machine has the real parts that an end-to-end test needs.
import { peersRequired, startNats, startRtpengine } from '@sidestream/simulators';

/** A reason to skip, or undefined; where CI demands the parts their absence is an error instead. */
export async function peersMissing(): Promise<string | undefined> {
  const [nats, rtpengine] = await Promise.all([startNats(), startRtpengine()]);
  await Promise.all([nats.peer?.stop(), rtpengine.peer?.stop()]);
  const reason = nats.reason ?? rtpengine.reason;
  if (reason !== undefined && peersRequired()) throw new Error(reason);
  return reason;
}
