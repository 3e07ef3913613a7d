// No failure shows a token or a secret: whatever the client says to its log or in an error, for every fault there is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { parseProviderFault, providerFaultNames } from './fault-names.js';
import { failureOf, never, registration, secret, stage } from './provider-client-fixture.js';
import { combineFaults, type ProviderFault } from './provider-fault.js';
import { problem } from './reply.js';

/** The parts of a token that only its owner may have; the header is the same in all. */
const anyToken = /eyJ[\w-]{10,}/;

function assertNothingShows(texts: readonly string[], what: string): void {
  for (const text of texts) {
    assert.doesNotMatch(text, anyToken, what);
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
      assert.ok(!text.includes(form), `${what}: ${text}`);
  }
}

async function outcomes(calls: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map(
    (one) => inspect(one, { depth: 20, showHidden: true }) + String('reason' in one ? one.reason?.stack : ''),
  );
}

test('no fault by name makes the client show a secret or a token', async (t) => {
  const { connect, simulator, logs, appCertificate } = await stage(t);
  const stderr = t.mock.method(process.stderr, 'write');
  const { certificate, key } = appCertificate;
  const limits = { requestTimeoutMs: 100, callTimeoutMs: 2_000, maxPages: 5 };
  for (const name of providerFaultNames) {
    simulator.fault = parseProviderFault(name);
    const said: string[] = [];
    for (const credential of [undefined, { certificatePem: certificate, privateKeyPem: key }]) {
      const client = connect({ limits, ...(credential && { credential }) });
      said.push(...(await outcomes([client.registerTenant(registration, never), client.listUsers(never)])));
      await client.close();
    }
    assertNothingShows([...said, ...logs], name);
  }
  assert.ok(logs.length > 0);
  assertNothingShows(
    stderr.mock.calls.map((call) => String(call.arguments[0])),
    'stderr',
  );
  assertNothingShows(
    [...simulator.requests, ...simulator.findings].map((one) => JSON.stringify(one)),
    'the simulator',
  );
});

test('a side that echoes what it was sent is cut short', async (t) => {
  const { connect, simulator } = await stage(t);
  let bearer = '';
  const echo: ProviderFault = {
    change: (reply, { place }) => {
      if (place === 'entra' && typeof reply.body === 'object' && 'access_token' in reply.body)
        bearer = String(reply.body.access_token);
      return place === 'entra' ? reply : problem(400, `you sent "Authorization: Bearer ${bearer}"`, { token: bearer });
    },
  };
  simulator.fault = combineFaults(echo);
  const said = await outcomes([connect().listUsers(never)]);
  assert.notEqual(bearer, '');
  assert.match(said[0] ?? '', /you sent .*\[redacted\]/);
  simulator.fault = { instead: () => problem(400, `client_secret=${encodeURIComponent(secret)}, that is ${secret}`) };
  const error = await failureOf(connect().listUsers(never));
  assert.match(error.message, /client_secret=\[redacted\], that is \[redacted\]/);
  assertNothingShows([...said, inspect(error)], 'echo');
});
