// One OPTIONS, as a trunk or a probe sends it.
import { isIP } from 'node:net';
import { SidestreamError } from '@sidestream/service';
import { type SipResponse, type Target, Transports, UserAgent } from '@sidestream/sip';

/**
 * Asks a SIP server with OPTIONS from a port of its own, at `target.local` where that is given.
 *
 * @throws SidestreamError `deadline-exceeded` when nothing comes in time; SipError; the signal's reason
 */
export async function askOptions(
  uri: string,
  target: Target,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<SipResponse> {
  const transports = new Transports();
  const agent = new UserAgent({ transports, product: 'sidestream' });
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const onAbort = () => deadline.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const host = target.local?.host ?? (isIP(target.host) === 6 ? '::' : '0.0.0.0');
    const udp = target.protocol === 'udp' ? await transports.listen({ protocol: 'udp', host, port: 0 }) : undefined;
    const local = target.local && (udp ?? target.local);
    const from = '<sip:sidestream@sidestream.invalid>';
    return await agent.request({ method: 'OPTIONS', uri, from, target: { ...target, local }, signal: deadline.signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (!deadline.signal.aborted) throw error;
    throw new SidestreamError('deadline-exceeded', `${uri}: no answer within ${timeoutMs} ms`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    await agent.close();
    await transports.close();
  }
}
