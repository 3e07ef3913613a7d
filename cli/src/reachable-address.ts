// The address under which peers reach an instance: what Contact, Via and SDP name. It may be on none of the machine's interfaces.
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { bounded, SidestreamError } from '@sidestream/service';
import { type Command, Option } from 'commander';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Cloud, clouds, publicAddress } from './cloud-metadata.js';

/** Where the address may come from, in the order in which they count. */
export interface AddressSources {
  /** Addresses of a numbered set; the number at the end of `instance` chooses. */
  readonly addresses?: readonly string[];
  readonly instance?: string;
  /** YAML file: address by the name of a node. */
  readonly nodeAddresses?: string;
  /** DNS name in which `{node}` stands for the name of the node. */
  readonly advertiseDns?: string;
  readonly advertiseMetadata?: Cloud;
  readonly advertise?: string;
  /** An address of this host or pod. */
  readonly bind?: string;
  /** Name of the node that this instance is on. */
  readonly node?: string;
}

/** What is asked, where a test answers instead. */
export interface AddressServers {
  /** `host:port` of DNS servers; absent: those of this machine. */
  readonly dns?: readonly string[];
  readonly metadata?: string;
  readonly deadlineMs?: number;
}

export interface ReachableAddress {
  readonly address: string;
  /** Which source has told it. */
  readonly how: string;
  readonly bind: string;
}

const usualDeadlineMs = 10_000;

/** For help: the order, and what happens without an answer. */
export const addressOrder = `
The address that peers are told comes from the first of these that is given: --addresses (edge-config alone), --node-addresses,
--advertise-dns, --advertise-metadata, --advertise, --bind. Where that one knows none, no other is asked: there is no address.`;

/** Adds the options that name sources, but for those of a numbered set. */
export function addressOptions(command: Command): Command {
  return command
    .requiredOption('--bind <address>', 'the address of this host or pod')
    .option('--node <name>', 'the node that this is on')
    .option('--node-addresses <file>', 'YAML: the reachable address of each node by its name')
    .option('--advertise-dns <name>', 'DNS name of the reachable address; {node} stands for the name of --node')
    .addOption(new Option('--advertise-metadata <cloud>', 'whose metadata service knows it').choices(clouds))
    .option('--advertise <address>', 'the reachable address itself');
}

/**
 * Finds the address in the order of `addressOrder`.
 *
 * @throws SidestreamError `not-ready`, naming the source that was given and knows none
 */
export async function reachableAddress(
  sources: AddressSources,
  { dns, metadata, deadlineMs = usualDeadlineMs }: AddressServers = {},
): Promise<ReachableAddress> {
  const { addresses = [], nodeAddresses, advertiseDns, advertiseMetadata: cloud, advertise, bind = '' } = sources;
  if (isIP(bind) === 0) throw none(`--bind '${bind}' is no address to listen on`);
  if (addresses.length > 0) return { ...numbered(addresses, sources.instance ?? ''), bind };
  const found = async (how: string, source: (signal: AbortSignal) => Promise<readonly string[]>) => {
    const answers = await bounded(deadlineMs, new AbortController().signal, source).catch((error: unknown) => {
      throw none(`${how}: ${SidestreamError.from(error).message}`, error);
    });
    const [address = '', ...more] = answers;
    if (address === '') throw none(`${how} has none`);
    if (more.length > 0) throw none(`${how} has several: ${answers.join(', ')}`);
    if (isIP(address) !== isIP(bind)) throw none(`${how} has '${address}': no address of IPv${isIP(bind)}`);
    return { address, how, bind };
  };
  if (nodeAddresses) {
    const node = nodeOf(sources, '--node-addresses');
    return found(`node ${node} of ${nodeAddresses}`, async () => [readTable(nodeAddresses)[node] ?? '']);
  }
  if (advertiseDns) {
    const name = advertiseDns.replaceAll('{node}', () => nodeOf(sources, '--advertise-dns'));
    return found(`DNS name ${name}`, (signal) => resolve(name, isIP(bind), dns, signal));
  }
  if (cloud)
    return found(`metadata of ${cloud}`, async (signal) => [await publicAddress(cloud, bind, signal, metadata)]);
  if (advertise) return { address: advertise, how: '--advertise', bind };
  return { address: bind, how: 'the address bound', bind };
}

function numbered(addresses: readonly string[], instance: string): { address: string; how: string } {
  const ordinal = /-(\d+)$/.exec(instance)?.[1];
  const address = addresses[Number(ordinal)];
  if (address !== undefined) return { address, how: `number ${ordinal} of --addresses` };
  throw none(`'${instance}' has no address of its own: there are ${addresses.length}, counted from 0`);
}

function nodeOf({ node }: AddressSources, option: string): string {
  if (node) return node;
  throw new SidestreamError('bad-request', `${option} needs --node`);
}

function readTable(file: string): Record<string, string> {
  return z.record(z.string(), z.string()).parse(parse(readFileSync(file, 'utf8')));
}

async function resolve(name: string, family: number, servers: readonly string[] = [], signal: AbortSignal) {
  const resolver = new Resolver();
  if (servers.length > 0) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await (family === 6 ? resolver.resolve6(name) : resolver.resolve4(name));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function none(why: string, cause?: unknown): SidestreamError {
  return new SidestreamError('not-ready', `there is no address that peers could be told: ${why}`, { cause });
}
