// `sidestream options`: asks a SIP server whether it is there, as a trunk would.
import { isIP } from 'node:net';
import { SidestreamError } from '@sidestream/service';
import { parseUri, type TransportProtocol, Transports, UserAgent } from '@sidestream/sip';
import { failed, say } from '../answered.js';

export interface OptionsCommandOptions {
  /** Statuses that are a success. */
  readonly accept: readonly number[];
  readonly timeoutMs: number;
}

/** Sends one OPTIONS by UDP or TCP and prints the answer. @returns the exit code: 0 for an accepted status, else 1 */
export async function options(uri: string, { accept, timeoutMs }: OptionsCommandOptions): Promise<number> {
  const transports = new Transports();
  try {
    const { scheme, host, port = 5060, parameters } = parseUri(uri);
    const protocol = protocolOf(scheme, parameters.get('transport'));
    const any = isIP(host) === 6 ? '::' : '0.0.0.0';
    if (protocol === 'udp') await transports.listen({ protocol, host: any, port: 0 });
    const agent = new UserAgent({ transports, product: 'sidestream' });
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      const from = '<sip:sidestream@sidestream.invalid>';
      const target = { protocol, host, port };
      const { status, reason } = await agent.request({ method: 'OPTIONS', uri, from, target, signal: deadline.signal });
      say(`${uri}: ${status} ${reason}`);
      return accept.includes(status) ? 0 : 1;
    } catch (error) {
      if (!deadline.signal.aborted) throw error;
      throw new SidestreamError('deadline-exceeded', `${uri}: no answer within ${timeoutMs} ms`);
    } finally {
      clearTimeout(timer);
      await agent.close();
    }
  } catch (error) {
    return failed(error);
  } finally {
    await transports.close();
  }
}

/** @throws SidestreamError `bad-request`: an answer in clear would be one of another listener */
function protocolOf(scheme: string, parameter: string | null | undefined): TransportProtocol {
  const transport = parameter ?? 'udp';
  if (scheme === 'sip' && (transport === 'udp' || transport === 'tcp')) return transport;
  throw new SidestreamError('bad-request', `only sip: URIs by UDP or TCP are asked, not ${scheme}: by ${transport}`);
}
