// Decentralised NATS credentials as an operator would issue them: signed JWTs, a server configuration, a credentials file.
import { randomUUID } from 'node:crypto';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';

export interface NatsCredentials<Name extends string> {
  /** Lines of nats-server's configuration that admit only this account's users. */
  readonly serverConfig: string;
  /** Content of each user's credentials file. */
  readonly credentials: Readonly<Record<Name, string>>;
}

/** Subjects that a user may use; absent: all. */
export interface NatsPermissions {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
}

const unlimited = -1;
const accountLimits = {
  ...{ subs: unlimited, data: unlimited, payload: unlimited, imports: unlimited, exports: unlimited },
  ...{ wildcards: true, conn: unlimited, leaf: unlimited },
};

/** Issues an operator, an account with JetStream and its users, all new. */
export function issueNatsCredentials<Name extends string>(
  users: Readonly<Record<Name, NatsPermissions>>,
): NatsCredentials<Name> {
  const operator = createOperator();
  const account = createAccount();
  // JetStream with operators needs a system account as well.
  const system = createAccount();
  const operatorJwt = signed(operator, operator, 'operator', {});
  const accountJwt = signed(operator, account, 'account', {
    limits: {
      ...accountLimits,
      ...{ mem_storage: unlimited, disk_storage: unlimited, streams: unlimited, consumer: unlimited },
    },
  });
  const systemJwt = signed(operator, system, 'account', { limits: accountLimits });
  const credentials = Object.entries<NatsPermissions>(users).map(([name, may]) => [name, userFile(account, may)]);
  return {
    serverConfig: [
      `operator: ${operatorJwt}`,
      `system_account: ${system.getPublicKey()}`,
      'resolver: MEMORY',
      'resolver_preload: {',
      `  ${account.getPublicKey()}: ${accountJwt}`,
      `  ${system.getPublicKey()}: ${systemJwt}`,
      '}',
    ].join('\n'),
    credentials: Object.fromEntries(credentials),
  };
}

function userFile(account: KeyPair, { publish, subscribe }: NatsPermissions): string {
  const user = createUser();
  const jwt = signed(account, user, 'user', {
    ...{ subs: unlimited, data: unlimited, payload: unlimited },
    ...(publish && { pub: { allow: publish } }),
    ...(subscribe && { sub: { allow: subscribe } }),
  });
  const seed = new TextDecoder().decode(user.getSeed());
  return `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
}

/** A version 2 NATS JWT. */
function signed(issuer: KeyPair, subject: KeyPair, type: string, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ typ: 'JWT', alg: 'ed25519-nkey' });
  const body = part({
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    name: type,
    sub: subject.getPublicKey(),
    nats: { ...claims, type, version: 2 },
  });
  const signature = issuer.sign(new TextEncoder().encode(`${head}.${body}`));
  return `${head}.${body}.${Buffer.from(signature).toString('base64url')}`;
}
