// `sidestream up`: one deployment on one machine, until SIGTERM or SIGINT.
import { ConfigError } from '@sidestream/service';
import { Deployment } from '../deployment.js';

/**
 * Runs a deployment. Stdout: one JSON line whenever something is missing, `{"ready":true,"addresses":{…}}` once all is there.
 *
 * @returns the process's exit code: 0 stopped as told, 1 failed, 2 wrong configuration.
 */
export async function up(configFile: string): Promise<number> {
  let requestStop: (code: number) => void = () => undefined;
  const stopRequested = new Promise<number>((resolve) => {
    requestStop = resolve;
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => requestStop(0));
  let last = '';
  let deployment: Deployment;
  try {
    deployment = await Deployment.start({
      configFile,
      onLog: (line) => process.stderr.write(`${line}\n`),
      onStatus: (status) => {
        if (!status.ready && status.waitingFor.some((what) => what.endsWith(': starting'))) return;
        const line = JSON.stringify(
          status.ready ? { ready: true, addresses: status.addresses } : { ...status, ready: false },
        );
        if (line !== last) process.stdout.write(`${line}\n`);
        last = line;
      },
      onFailure: (what) => {
        process.stderr.write(`sidestream: ${what}\n`);
        requestStop(1);
      },
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
  const code = await stopRequested;
  const ends = await deployment.stop();
  const unclean = Object.entries(ends).filter(([, how]) => how !== 'exit code 0');
  for (const [name, how] of unclean) process.stderr.write(`sidestream: ${name} did not stop cleanly: ${how}\n`);
  return unclean.length > 0 ? 1 : code;
}
