// Check `trunks`: targets that take OPTIONS, as `keepalive` says, are asked. Whatever they answer, they are there.
import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import { TlsIdentity } from '@sidestream/sip';
import { askOptions } from '../ask-options.js';
import { adviceFor } from './advice.js';
import { type Check, type Finding, fail, ok, type Probe, skipped, warn } from './check.js';
import type { Examined } from './examined.js';
import { type SipPlace, targetPlaces } from './places.js';
import { reasonOf } from './reason.js';

const silent = 'see that it runs, that firewalls let SIP through, and that it knows our address';

export const trunksCheck: Check = {
  name: 'trunks',
  about: 'targets that are asked by keepalive answer OPTIONS',
  probes: (examined) =>
    targetPlaces(examined).map((place): Probe => {
      const where = `${place.key} ${place.uri}`;
      return {
        where,
        todo: silent,
        run: async (signal) => {
          if (place.trunk.keepalive === undefined)
            return [skipped(where, 'its trunk has no keepalive: it is not asked')];
          const service = await serviceOf(place);
          const unknown = await examined.blamesName(service?.host ?? place.host, where);
          return [unknown ?? (await ask(examined, { ...place, ...service }, where, signal))];
        },
      };
    }),
};

async function ask(examined: Examined, place: SipPlace, where: string, signal: AbortSignal): Promise<Finding> {
  const { uri, protocol, port = protocol === 'tls' ? 5061 : 5060 } = place;
  const [host = place.host] = await examined.addressesOf(place.host);
  const { tls } = examined.config.signalling;
  if (protocol === 'tls' && tls === undefined)
    return skipped(where, 'our certificate is the edge’s, which is an external one');
  const begunMs = performance.now();
  try {
    const secure = tls && protocol === 'tls' ? { identity: new TlsIdentity(tls), servername: place.host } : {};
    const target = { protocol, host, port, ...secure };
    const { status, reason } = await askOptions(uri, target, examined.timeoutMs * 0.8, signal);
    return judgeTarget(where, status, `OPTIONS ${status} ${reason} in ${Math.round(performance.now() - begunMs)} ms`);
  } catch (error) {
    signal.throwIfAborted();
    const ours = { peer: 'the target', trust: 'signalling.tls.trustFile', identity: 'signalling.tls.certFile' };
    return fail(where, reasonOf(error), protocol === 'udp' ? silent : adviceFor(error, ours));
  }
}

/** Any answer shows a living peer; one of 408 or 5xx has calls tried elsewhere. */
export function judgeTarget(where: string, status: number, what: string): Finding {
  if (status !== 408 && status < 500) return ok(where, what);
  return warn(where, `${what}: it takes no calls now`, 'ask its operator; calls go to the next target of the trunk');
}

/** RFC 3263 §4.2: without a port the domain's services are asked for; the first of them stands for all. */
async function serviceOf({ host, port, protocol }: SipPlace): Promise<{ host: string; port: number } | undefined> {
  if (port !== undefined || isIP(host) !== 0 || !host.includes('.')) return undefined;
  const label = protocol === 'tls' ? '_sips._tcp' : `_sip._${protocol}`;
  try {
    const records = await dns.resolveSrv(`${label}.${host}`);
    const first = records.sort((a, b) => a.priority - b.priority)[0];
    return first === undefined ? undefined : { host: first.name, port: first.port };
  } catch {
    return undefined;
  }
}
