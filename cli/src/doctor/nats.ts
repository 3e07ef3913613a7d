// Check `nats`: it is there, is new enough, has JetStream with room, and lets us do what we need.
import { inspectNats, type NatsInspection, type StreamReport } from '@sidestream/service';
import { adviceFor } from './advice.js';
import { type Check, type Finding, fail, ok, type Probe, warn } from './check.js';
import type { Examined } from './examined.js';
import { type NatsPlace, natsPlaces } from './places.js';
import { reasonOf } from './reason.js';

const ours = { peer: 'the NATS server', trust: 'nats.tls.caFile', identity: 'nats.tls.certFile' };

export const natsCheck: Check = {
  name: 'nats',
  about: 'reachable, version, JetStream, its room, our permissions, streams as we make them',
  probes: (examined) =>
    natsPlaces(examined).map(
      (place): Probe => ({
        where: place.key,
        todo: 'start it, or correct nats.servers; calls go on meanwhile, but nothing is known of other instances',
        run: async (signal) => {
          const unknown = await examined.blamesName(place.host, place.key);
          return unknown ? [unknown] : inspect(examined, place, signal);
        },
      }),
    ),
};

async function inspect(
  { config, timeoutMs }: Examined,
  { key, server }: NatsPlace,
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    // A little less than the probe itself, so that its own words are heard.
    return await inspectNats(config, { server, timeoutMs: timeoutMs * 0.8 }, async (inspection) =>
      judgeNats(key, inspection),
    );
  } catch (error) {
    signal.throwIfAborted();
    const said = reasonOf(error);
    const what = said === 'timeout' ? 'no NATS answers there: nothing came, or nothing that is NATS' : said;
    return [fail(key, what, natsAdvice(said, error))];
  }
}

/** What the server says of itself, and of our streams there. */
export function judgeNats(where: string, inspection: NatsInspection): Finding[] {
  const { server, version, roundTripMs, maxPayloadBytes, jetStream } = inspection;
  const there = `nats-server ${version} at ${server} in ${roundTripMs.toFixed(1)} ms`;
  const findings = [...judgeVersion(where, version, there), ...judgePayload(where, maxPayloadBytes)];
  if (jetStream === undefined) {
    const todo = 'start it with JetStream (-js, or jetstream {} in its configuration), and enable it for our account';
    return [...findings, fail(where, `${there} has no JetStream for us: no leases, no events, no records`, todo)];
  }
  return [...findings, ...judgeRoom(where, jetStream), ...jetStream.streams.flatMap((one) => judgeStream(where, one))];
}

/** 2.9 is the oldest that we run on; what later ones do better is said. */
function judgeVersion(where: string, version: string, there: string): Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isAtLeast = (wanted: number) => major > 2 || (major === 2 && minor >= wanted);
  if (!isAtLeast(9)) return [fail(where, `${there}: at least 2.9 is needed`, 'upgrade it')];
  if (isAtLeast(12)) return [ok(where, there)];
  const missing = isAtLeast(11)
    ? 'before 2.12 it is tried less'
    : 'before 2.11 it ignores a time to live of single keys without a word (we use that of buckets), and a watch may be silent for a minute when a node dies';
  return [warn(where, `${there}: ${missing}`, 'upgrade to 2.12 or later when you can')];
}

function judgePayload(where: string, bytes: number): Finding[] {
  // What is written in chunks, and call records, stay below a usual server's limit.
  if (bytes >= 256 * 1024) return [];
  return [fail(where, `takes ${bytes} bytes in a message: records of calls are larger`, 'raise max_payload to 1MB')];
}

type JetStreamFacts = NonNullable<NatsInspection['jetStream']>;

function judgeRoom(where: string, { usedBytes, limitBytes, reservedBytes, streams }: JetStreamFacts): Finding[] {
  const missing = streams.filter(({ state }) => state === 'missing');
  const needed = missing.reduce((sum, stream) => sum + stream.reservedBytes, 0);
  const used = `JetStream holds ${megabytes(usedBytes)}`;
  const free = limitBytes === undefined ? undefined : limitBytes - Math.max(usedBytes, reservedBytes);
  if (free !== undefined && needed > free)
    return [
      fail(
        where,
        `the account has ${megabytes(free)} left, and what is not made yet reserves ${megabytes(needed)}`,
        'raise the storage limit of the account (and max_file_store of the server), or lower records.maxBytes',
      ),
    ];
  if (limitBytes !== undefined && usedBytes > 0.8 * limitBytes)
    return [warn(where, `${used} of ${megabytes(limitBytes)}`, 'raise the storage limit of the account')];
  const later =
    missing.length === 0 ? '' : `; ${missing.map(({ name }) => name).join(', ')} will be made at the first start`;
  return [ok(where, `${used}${limitBytes === undefined ? '' : ` of ${megabytes(limitBytes)}`}${later}`)];
}

function judgeStream(where: string, { name, state, differences }: StreamReport): Finding[] {
  switch (state) {
    case 'forbidden': {
      const todo = 'give it the permissions of helm/sidestream/nats-permissions.yaml';
      const what = `our user may not ask for ${name} ($JS.API.STREAM.INFO.${name})`;
      // Where each service has a user of its own, not everyone has to do with these.
      return [
        /^(RECORDS|OBJ_)/.test(name)
          ? warn(where, what, `${todo}, if it is one that needs it`)
          : fail(where, what, todo),
      ];
    }
    case 'unknown':
      return [fail(where, `${name}: ${differences.join('; ')}`, 'see the log of the NATS server')];
    case 'there':
      if (differences.length === 0) return [];
      return [
        warn(
          where,
          `${name} is not as we would make it: ${differences.join('; ')}`,
          `change it: nats stream edit ${name}; RECORDS follows the configuration at signalling's next start`,
        ),
      ];
    case 'missing':
      return [];
    default:
      return state satisfies never;
  }
}

function natsAdvice(text: string, error: unknown): string {
  if (/authorization|authentication|permission/i.test(text))
    return 'the server does not take nats.credentialsFile: issue new credentials for our user, or check its account';
  if (/tls|certificate/i.test(text)) return 'check nats.tls against what the server wants and shows';
  return adviceFor(error, ours);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
