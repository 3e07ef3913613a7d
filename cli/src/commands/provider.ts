// `sidestream provider`: Entra and the provider API simulated on their own, for integrators who have no tenant yet.
import { readFile } from 'node:fs/promises';
import { parseHostPort, SidestreamError } from '@sidestream/service';
import { ProviderSimulator, parseProviderFault } from '@sidestream/simulators';
import { z } from 'zod';

export interface ProviderCommandOptions {
  readonly listen: string;
  readonly publicHost?: string;
  readonly cert: string;
  readonly key: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly secretFile?: string;
  readonly clientCert?: string;
  readonly resource?: string;
  /** JSON: an array, or an object with the array under `value`. */
  readonly users?: string;
  readonly pageSize?: number;
  /** As parseProviderFault reads it: `status=503x2,slow=100`. */
  readonly behave?: string;
}

const usersFile = z.union([
  z.array(z.json()),
  z.looseObject({ value: z.array(z.json()) }).transform((file) => file.value),
]);

/** Runs until SIGTERM or SIGINT; tells what comes, one JSON line each, on stdout. SIGHUP reads the users file again. */
export async function provider(options: ProviderCommandOptions): Promise<number> {
  if (options.secretFile === undefined && options.clientCert === undefined)
    throw new SidestreamError(
      'bad-request',
      'one of --secret-file and --client-cert is needed: the app has to prove itself by something',
    );
  const { host, port } = parseHostPort(options.listen);
  const [secret, certificatePem, users] = await Promise.all([
    options.secretFile === undefined ? undefined : readFile(options.secretFile, 'utf8'),
    options.clientCert === undefined ? undefined : readFile(options.clientCert, 'utf8'),
    readUsers(options.users),
  ]);
  const simulator = await ProviderSimulator.start({
    host,
    port,
    ...(options.publicHost !== undefined && { publicHost: options.publicHost }),
    tls: { certFile: options.cert, keyFile: options.key },
    entraTenantId: options.tenant,
    app: {
      clientId: options.clientId,
      ...(secret !== undefined && { secret: secret.trim() }),
      ...(certificatePem !== undefined && { certificatePem }),
    },
    ...(options.resource !== undefined && { resourceAppId: options.resource }),
    users,
    ...(options.pageSize !== undefined && { pageSize: options.pageSize }),
    ...(options.behave !== undefined && { fault: parseProviderFault(options.behave) }),
  });
  const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
  simulator.on('request', ({ method, path, status }) => say({ event: 'request', method, path, status }));
  simulator.on('registration', ({ body }) => say({ event: 'registration', body }));
  simulator.on('finding', (finding) => say({ event: 'finding', ...finding }));
  process.on('SIGHUP', () => {
    readUsers(options.users).then(
      (fresh) => {
        simulator.setUsers(fresh);
        say({ event: 'users', count: fresh.length });
      },
      (error: unknown) => process.stderr.write(`sidestream: ${String(error)}; the users stay as they were\n`),
    );
  });
  // Both are the same origin; they are said apart because they are two settings of whoever connects.
  say({ ready: true, addresses: { authority: simulator.origin, apiBaseUrl: simulator.origin }, users: users.length });
  await new Promise<void>((stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop());
  });
  await simulator.close();
  return 0;
}

async function readUsers(file: string | undefined): Promise<readonly unknown[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8');
  try {
    return usersFile.parse(JSON.parse(text));
  } catch (error) {
    const reason =
      error instanceof SyntaxError ? error.message : 'neither an array nor an object with an array "value"';
    throw new Error(`${file}: ${reason}`);
  }
}
