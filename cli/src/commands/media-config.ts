// `sidestream media-config`: what an rtpengine beside media-relay starts with, beyond its arguments: where it listens for media, and the
// address that SDP names instead. It runs before rtpengine, once per start.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failed, say } from '../answered.js';
import { type AddressSources, reachableAddress } from '../reachable-address.js';

export interface MediaConfigOptions extends AddressSources {
  readonly out: string;
}

/** Writes `rtpengine.conf`. @returns the exit code: 1 when there is no address to tell peers */
export async function mediaConfig({ out, ...sources }: MediaConfigOptions): Promise<number> {
  try {
    const { address, how, bind } = await reachableAddress(sources);
    mkdirSync(out, { recursive: true });
    const advertised = address === bind ? '' : `!${address}`;
    writeFileSync(join(out, 'rtpengine.conf'), `[rtpengine]\ninterface=${bind}${advertised}\n`, { mode: 0o640 });
    say(JSON.stringify({ address, how, bind }));
    return 0;
  } catch (error) {
    return failed(error);
  }
}
