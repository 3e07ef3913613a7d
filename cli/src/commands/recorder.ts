// `sidestream recorder`: the recorder simulator on its own, for integrators who have no recorder yet.
import { resolve } from 'node:path';
import { parseHostPort } from '@sidestream/service';
import { parseBehaviour, RecorderSimulator, RecorderStatus } from '@sidestream/simulators';
import { type RecorderProfileName, recorderProfiles } from '@sidestream/siprec';

export interface RecorderCommandOptions {
  readonly listen: string;
  readonly cert: string;
  readonly key: string;
  readonly trust: string;
  readonly profile: RecorderProfileName;
  readonly account?: string;
  readonly out: string;
  /** Where it tells over HTTP what it has got: `host:port`. */
  readonly status?: string;
  /** As parseBehaviour reads it: `reject=503,delay=100`. */
  readonly behave?: string;
}

/** Runs until SIGTERM or SIGINT; tells what comes, one JSON line each, on stdout. */
export async function recorder(options: RecorderCommandOptions): Promise<number> {
  const { host, port } = parseHostPort(options.listen);
  const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const simulator = await RecorderSimulator.start({
    host,
    port,
    tls: { certFile: options.cert, keyFile: options.key, trustFile: options.trust },
    profile: recorderProfiles[options.profile],
    ...(options.account !== undefined && { accountId: options.account }),
    directory: resolve(options.out),
    ...(options.behave !== undefined && { behaviour: parseBehaviour(options.behave) }),
  });
  simulator.on('session', ({ callId, peer, directory }) =>
    say({ event: 'session', callId, from: peer.address, client: peer.tls?.peerSubject, directory }),
  );
  simulator.on('finding', (finding, session) => say({ event: 'finding', callId: session?.callId, ...finding }));
  simulator.on('refused', (remote, reason) => say({ event: 'refused', from: `${remote.host}:${remote.port}`, reason }));
  simulator.on('problem', (error) => process.stderr.write(`sidestream: ${String(error)}\n`));
  simulator.on('ended', (session, end) => {
    const streams = session.streams.map(({ label, statistics }) => ({ label, ...statistics }));
    say({ event: 'ended', callId: session.callId, by: end, streams, findings: session.findings.length });
  });
  const status = options.status === undefined ? undefined : await startStatus(simulator, options.status);
  const sip = `tls:${simulator.address.host}:${simulator.address.port}`;
  say({ ready: true, addresses: { sip, ...(status && { status: status.origin }) } });
  await new Promise<void>((stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop());
  });
  await status?.close();
  await simulator.close();
  return 0;
}

async function startStatus(simulator: RecorderSimulator, at: string): Promise<RecorderStatus> {
  try {
    return await RecorderStatus.start(simulator, parseHostPort(at));
  } catch (error) {
    // Its listeners would keep the process alive.
    await simulator.close();
    throw error;
  }
}
