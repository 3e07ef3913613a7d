// `sidestream options`: asks a SIP server whether it is there, as a trunk would.
import { SidestreamError } from '@sidestream/service';
import { parseUri, type TransportProtocol } from '@sidestream/sip';
import { failed, say } from '../answered.js';
import { askOptions } from '../ask-options.js';

export interface OptionsCommandOptions {
  /** Statuses that are a success. */
  readonly accept: readonly number[];
  readonly timeoutMs: number;
}

/** Sends one OPTIONS by UDP or TCP and prints the answer. @returns the exit code: 0 for an accepted status, else 1 */
export async function options(uri: string, { accept, timeoutMs }: OptionsCommandOptions): Promise<number> {
  try {
    const { scheme, host, port = 5060, parameters } = parseUri(uri);
    const protocol = protocolOf(scheme, parameters.get('transport'));
    const { status, reason } = await askOptions(uri, { protocol, host, port }, timeoutMs);
    say(`${uri}: ${status} ${reason}`);
    return accept.includes(status) ? 0 : 1;
  } catch (error) {
    return failed(error);
  }
}

/** @throws SidestreamError `bad-request`: an answer in clear would be one of another listener */
function protocolOf(scheme: string, parameter: string | null | undefined): TransportProtocol {
  const transport = parameter ?? 'udp';
  if (scheme === 'sip' && (transport === 'udp' || transport === 'tcp')) return transport;
  throw new SidestreamError('bad-request', `only sip: URIs by UDP or TCP are asked, not ${scheme}: by ${transport}`);
}
