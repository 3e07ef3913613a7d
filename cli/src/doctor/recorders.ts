// Check `recorders`: each one as each tenant sees it: TCP, TLS with the tenant's certificate, and an answer to OPTIONS.
import { connect } from 'node:net';
import { Headers, SipError, TlsIdentity, Transports, UserAgent } from '@sidestream/sip';
import { recorderProfiles } from '@sidestream/siprec';
import { adviceFor, codeOf, refusedCertificate } from './advice.js';
import { identityFault } from './certificates.js';
import { type Check, type Finding, fail, ok, type Probe, warn } from './check.js';
import { type RecorderPlace, recorderPlaces } from './places.js';
import { reasonOf } from './reason.js';

const isAway = 'see that the recorder runs, and that firewalls between let TLS through';

/** Some refuse without an alert. */
const closedAfterHandshake =
  'it ends the connection right after the TLS handshake, without a word: most likely it refuses our certificate';

export const recordersCheck: Check = {
  name: 'recorders',
  about: 'each recorder as each tenant: TCP, TLS both ways, OPTIONS, and what they take',
  probes: (examined) =>
    recorderPlaces(examined).map(
      (place): Probe => ({
        where: place.where,
        todo: isAway,
        run: async (signal) => {
          const { tenantName, tenant, where, host } = place;
          const unknown = await examined.blamesName(host, where);
          if (unknown) return [unknown];
          const fault = identityFault(examined, tenantName, tenant);
          const blamed = fault && examined.blames('certificates', where, `${fault.where} can't be shown`);
          return [blamed ?? (await visit(place, examined.timeoutMs, signal))];
        },
      }),
    ),
};

async function visit(place: RecorderPlace, timeoutMs: number, signal: AbortSignal): Promise<Finding> {
  const { tenant, tenantName, where, host, port, uri } = place;
  const { identity, trustFile, profile, domain } = tenant.recording;
  const key = `tenants.${tenantName}.recording`;
  const ours = { peer: 'the recorder', trust: `${key}.trustFile`, identity: `${key}.identity` };
  const transports = new Transports({ dialTimeoutMs: timeoutMs * 0.4 });
  const agent = new UserAgent({ transports, product: 'Sidestream' });
  // In TLS 1.3 a client learns after its handshake that its certificate is refused: by how the connection ends.
  let end: SipError | undefined;
  let shown = false;
  transports.on('closed', (_flow, error) => {
    end ??= error;
  });
  try {
    const own = new TlsIdentity({ ...identity, trustFile });
    const target = { protocol: 'tls', host, port, identity: own } as const;
    const { tls, connectMs = 0 } = await transports.flow(target, signal);
    shown = true;
    const begunMs = performance.now();
    const { accountHeader } = recorderProfiles[profile];
    const headers = new Headers(accountHeader === undefined ? [] : [[accountHeader, tenant.accountId ?? '']]);
    const from = `<sip:SRC@${domain}>`;
    const asked = { method: 'OPTIONS', target, uri, from, headers, signal, timeoutMs: timeoutMs * 0.4 };
    const { status, reason } = await agent.request(asked);
    const times = `${tls?.version} as ${tls?.peerSubject} in ${Math.round(connectMs)} ms`;
    return judgeOptions(
      where,
      status,
      `${times}, OPTIONS ${status} ${reason} in ${Math.round(performance.now() - begunMs)} ms`,
    );
  } catch (error) {
    signal.throwIfAborted();
    const because = end ?? error;
    if (isSilence(because)) return fail(where, await wordsForSilence(because, place, timeoutMs * 0.1), isAway);
    if (shown && codeOf(because) === undefined) return fail(where, closedAfterHandshake, refusedCertificate(ours));
    return fail(where, reasonOf(because), adviceFor(because, ours));
  } finally {
    await agent.close();
    await transports.close();
  }
}

/** @param what the times and the answer */
export function judgeOptions(where: string, status: number, what: string): Finding {
  if ([401, 403, 407].includes(status))
    return fail(
      where,
      `${what}: it does not know us`,
      'register the tenant (sidestream register), and compare X-AccountId, the certificate’s names and our address with what is registered',
    );
  if (status === 503 || status === 500)
    return warn(
      where,
      `${what}: it takes no recording now`,
      'ask its operator; recordings go to the next recorder of the list',
    );
  // Whatever else it answers, it is there and speaks SIP.
  return ok(where, what);
}

function isSilence(error: unknown): error is SipError {
  return (
    error instanceof SipError &&
    (error.code === 'timed-out' || /no connection within|timed out|within/.test(error.message))
  );
}

/** How far one gets before it says no more. */
async function wordsForSilence(error: SipError, { host, port }: RecorderPlace, timeoutMs: number): Promise<string> {
  if (error.code === 'timed-out') return 'TLS is there, but OPTIONS is not answered: it speaks no SIP, or hangs';
  const connects = await new Promise<boolean>((resolve) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => done(false), timeoutMs);
    const done = (is: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => done(true)).once('error', () => done(false));
  });
  return connects
    ? 'it takes the TCP connection and then says nothing: no TLS handshake'
    : `no TCP connection: ${reasonOf(error)}`;
}
