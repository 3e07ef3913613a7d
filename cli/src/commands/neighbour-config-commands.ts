// The command lines of `sidestream edge-config` and `media-config`: what the servers beside our services start with.
import { Command, InvalidArgumentError } from 'commander';
import { strict } from '../answered.js';
import { addressOptions, addressOrder } from '../reachable-address.js';
import { type EdgeConfigOptions, edgeConfig } from './edge-config.js';
import { type MediaConfigOptions, mediaConfig } from './media-config.js';

const exitCodes = 'Exit code: 0 written, 1 there is no address that peers could reach, 2 wrong command line.';

/** @param done is given the exit code; so is that of the other. */
export function edgeConfigCommand(done: (code: number) => void): Command {
  const command = strict(new Command('edge-config'))
    .description('write what a drachtio-server beside signalling starts with: drachtio.conf.xml and edge-secret')
    .requiredOption('-o, --out <directory>', 'where to, shared by the two')
    .option('--instance <name>', 'name of this instance, with its number at the end: signalling-0')
    .option('--addresses <list>', 'reachable addresses, one for each instance; that of --instance is taken', list, []);
  return addressOptions(command)
    .option('--port <n>', 'for SIP over --transports', port, 5060)
    .option('--transports <list>', 'udp, tcp', list, ['udp', 'tcp'])
    .option('--admin-port <n>', 'on loopback, for signalling', port, 9022)
    .option('--metrics-port <n>', "on loopback, for the server's own metrics; else it serves none", port)
    .option('--tls-port <n>', 'for SIP over TLS, with --tls-cert and --tls-key', port)
    .option('--tls-cert <file>', 'certificate, PEM (with its chain)')
    .option('--tls-key <file>', 'private key, PEM')
    .addHelpText('after', `${addressOrder}\n${exitCodes}`)
    .action(async (flags: EdgeConfigOptions) => done(await edgeConfig(flags)));
}

export function mediaConfigCommand(done: (code: number) => void): Command {
  const command = strict(new Command('media-config'))
    .description('write what an rtpengine beside media-relay starts with: rtpengine.conf, for its --config-file')
    .requiredOption('-o, --out <directory>', 'where to');
  return addressOptions(command)
    .addHelpText('after', `${addressOrder}\n${exitCodes}`)
    .action(async (flags: MediaConfigOptions) => done(await mediaConfig(flags)));
}

function list(text: string): string[] {
  return text.split(',').filter((item) => item !== '');
}

function port(text: string): number {
  const value = Number(text);
  if (!/^[1-9]\d{0,4}$/.test(text) || value > 65_535) throw new InvalidArgumentError('it must be a port, 1 to 65535.');
  return value;
}
