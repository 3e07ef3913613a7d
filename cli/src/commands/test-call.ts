// `sidestream test-call`: OPTIONS, then one call with two voices of our own through a deployment; proves who heard and who recorded it.
import {
  ConfigError,
  formatHostPort,
  parseHostPort,
  type SidestreamConfig,
  SidestreamError,
} from '@sidestream/service';
import { fingerprint } from '@sidestream/simulators';
import { parseUri } from '@sidestream/sip';
import { failed, readCliConfig, say } from '../answered.js';
import { askOptions } from '../ask-options.js';
import { orAborted } from '../test-call/or-aborted.js';
import { placeTestCall, reach, type TestCall, type TestCallPlan } from '../test-call/placed-test-call.js';
import { findRecord, recordFaults } from '../test-call/record-proof.js';
import { RecorderProof } from '../test-call/recorder-proof.js';
import { emptyReport, reportText, type TestCallReport } from '../test-call/report.js';
import { arrived, streamOf, voiceFaults } from '../test-call/voices.js';

export interface TestCallOptions {
  /** `sip:number@host:port`, `;transport=tcp`. */
  readonly uri: string;
  readonly from: string;
  /** Our address; undefined: the one that is used to get there. */
  readonly listen: string | undefined;
  /** Where the called party listens: `udp:host:port`, `tcp:…`; without a host at our address. */
  readonly answer: string;
  /** `http://host:port` of `sidestream recorder --status`. */
  readonly recorderStatus: string | undefined;
  /** sidestream.yaml, for NATS: the call record is read. */
  readonly config: string | undefined;
  readonly seconds: number;
  readonly maxLoss: number;
  readonly timeoutMs: number;
  readonly json: boolean;
}

const optionsMs = 5_000;
/** From the end of the call to the end of its recording, and to its record. */
const proofMs = 15_000;
const maxStartMs = 3_000;

/** @returns the exit code: 0 proven, 1 not, 2 for a wrong command line or configuration */
export async function testCall(options: TestCallOptions): Promise<number> {
  const report = emptyReport(options.uri);
  const deadline = new AbortController();
  const { timeoutMs } = options;
  const timer = setTimeout(() => {
    deadline.abort(new SidestreamError('deadline-exceeded', `not done within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    await run(options, report, deadline.signal);
  } catch (error) {
    const { code, message } = SidestreamError.from(error);
    if (error instanceof ConfigError || code === 'bad-request') return failed(error);
    report.faults.push(message);
  } finally {
    clearTimeout(timer);
  }
  report.ok = report.faults.length === 0;
  say(options.json ? JSON.stringify(report, null, 2) : reportText(report));
  return report.ok ? 0 : 1;
}

async function run(options: TestCallOptions, report: TestCallReport, signal: AbortSignal): Promise<void> {
  const { recorderStatus, uri } = options;
  const config = options.config === undefined ? undefined : readCliConfig(options.config);
  if (recorderStatus === undefined && config === undefined)
    throw new SidestreamError(
      'bad-request',
      '--recorder-status or --config is needed: who else tells what was recorded?',
    );
  const plan = await planOf(options, signal);
  const begun = performance.now();
  const { status, reason } = await askOptions(uri, plan.target, optionsMs, signal).catch((error: unknown) => {
    const { code, message } = SidestreamError.from(error);
    if (signal.aborted || code !== 'deadline-exceeded') throw error;
    // That is how sip-edge, and many a firewall, treats strangers.
    throw new SidestreamError(
      'not-ready',
      `${message}: nobody is there, or no trunk has ${plan.host} among its 'peers'`,
    );
  });
  report.options = { status, reason, ms: Math.round(performance.now() - begun) };
  if (status !== 200) throw new SidestreamError('not-ready', `OPTIONS hears ${status} ${reason}`);

  const recorder = recorderStatus === undefined ? undefined : new RecorderProof(recorderStatus);
  await recorder?.begin(signal);
  const call = await placeTestCall(plan, signal);
  const { caller, hungUpAt } = call;
  report.call = {
    ...{ sipCallId: caller.id, calledAt: formatHostPort(plan.answer), postDialDelayMs: caller.postDialDelayMs ?? 0 },
    talkMs: hungUpAt - (caller.moments.answeredAt ?? hungUpAt),
  };
  report.voices = voicesOf(call);
  const told = async (ask: Promise<void>) =>
    ask.catch((error: unknown) => {
      signal.throwIfAborted();
      report.faults.push(SidestreamError.from(error).message);
    });
  if (config) await told(askDeployment(config, call, report, signal));
  if (recorder) await told(askRecorder(recorder, call, report, signal));
  const tolerance = { maxLossPercent: options.maxLoss, maxStartMs };
  report.faults.push(...report.voices.flatMap((voice) => voiceFaults(voice, tolerance)));
}

async function askDeployment(
  config: SidestreamConfig,
  { caller }: TestCall,
  report: TestCallReport,
  signal: AbortSignal,
): Promise<void> {
  const record = await orAborted(findRecord(config, caller.id, proofMs, signal), signal);
  report.record = record;
  report.faults.push(...recordFaults(record));
}

async function askRecorder(
  recorder: RecorderProof,
  call: TestCall,
  report: TestCallReport,
  signal: AbortSignal,
): Promise<void> {
  // Of a recording that the deployment itself knows nothing of, one look is enough.
  const none = ['missing', 'not-expected'].includes(report.record?.verdict ?? '');
  const sent = [call.caller.sent, call.called.sent];
  const { session, streams } = await recorder.find(sent, none ? 0 : proofMs, signal);
  report.recording = session;
  report.voices = voicesOf(call, streams);
  for (const { label, authFailures, inClear } of session.streams)
    if (authFailures + inClear > 0)
      report.faults.push(`the recorder, stream ${label}: ${authFailures} packets not authentic, ${inClear} in clear`);
  for (const { party, recorded } of report.voices)
    if (recorded === null) report.faults.push(`the recorder has nothing of the ${party}`);
  report.faults.push(...session.findings.map((finding) => `the recorder found: ${finding}`));
}

function voicesOf({ caller, called, hungUpAt }: TestCall, streams: Parameters<typeof streamOf>[1] = []) {
  const voice = (party: 'caller' | 'called', speaker: typeof caller, listener: typeof caller) => {
    const stream = streamOf(speaker.sent, streams);
    return {
      ...{ party, sent: speaker.sent.length },
      heard: arrived(speaker.sent, listener.received.map(fingerprint), hungUpAt),
      recorded:
        stream === undefined ? null : { label: stream.label, ...arrived(speaker.sent, stream.packets, hungUpAt) },
    };
  };
  return [voice('caller', caller, called), voice('called', called, caller)];
}

/** @throws SidestreamError `bad-request` */
async function planOf(options: TestCallOptions, signal: AbortSignal): Promise<TestCallPlan> {
  const { uri, from, seconds } = options;
  const { scheme, user, host, port = 5060, parameters } = parseUri(uri);
  const protocol = parameters.get('transport') ?? 'udp';
  if (scheme !== 'sip' || (protocol !== 'udp' && protocol !== 'tcp') || user === undefined)
    throw new SidestreamError('bad-request', `${uri}: it must be sip:number@host:port, by UDP or ;transport=tcp`);
  const { remote, local } = await orAborted(reach(host, port), signal);
  const own = options.listen ?? local;
  const [, spoken, at] = /^(udp|tcp):(.+)$/.exec(options.answer) ?? [];
  if (at === undefined)
    throw new SidestreamError('bad-request', `--answer ${options.answer}: it must be udp:host:port or tcp:host:port`);
  return {
    ...{ uri, from, host: own, called: user, talkMs: seconds * 1_000 },
    target: { protocol, host: remote, port, local: { host: own, port: 0 } },
    answer: { protocol: spoken === 'tcp' ? 'tcp' : 'udp', ...readAnswer(at, own) },
  };
}

/** `host:port`, or a port at our own address. */
function readAnswer(text: string, own: string): { readonly host: string; readonly port: number } {
  try {
    return parseHostPort(/^\d+$/.test(text) ? formatHostPort({ host: own, port: Number(text) }) : text);
  } catch (error) {
    throw new SidestreamError('bad-request', `--answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}
