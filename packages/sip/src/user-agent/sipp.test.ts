// Against Debian's sipp, so that both sides are not wrong in the same way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatHostPort } from '../message/host.js';
import type { Target } from '../transport/flow.js';
import { Transports } from '../transport/transports.js';
import { UserAgent } from './user-agent.js';

const calls = 20;
const sdp = {
  body: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n',
  contentType: 'application/sdp',
};

/** Runs sipp to its end, which its own time-out bounds. */
async function sipp(directory: string, args: string): Promise<{ code: number | null; output: string }> {
  // Its control port is told too: two sipps that come up at once may take the same one.
  const bounds = `-i 127.0.0.1 -cp ${await freePort('udp')} -m ${calls} -timeout 30 -nostdin`;
  const child = spawn('sipp', `${args} ${bounds}`.split(' '), { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, output: output.join('').slice(-2000) };
}

/** sipp cannot tell which port it took, so one that is free now is given to it. */
async function freePort(protocol: 'udp' | 'tcp'): Promise<number> {
  if (protocol === 'udp') {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    return port;
  }
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function withAgent(
  protocol: 'udp' | 'tcp',
  work: (o: {
    agent: UserAgent;
    transports: Transports;
    contact: string;
    port: number;
    directory: string;
  }) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sipp-'));
  const transports = new Transports();
  const { host, port } = await transports.listen({ protocol, host: '127.0.0.1', port: 0 });
  const agent = new UserAgent({ transports });
  try {
    await work({
      agent,
      transports,
      contact: `<sip:ua@${formatHostPort(host, port)};transport=${protocol}>`,
      port,
      directory,
    });
    assert.equal(agent.dialogs, 0);
  } finally {
    await agent.close();
    await transports.close();
    await rm(directory, { recursive: true, force: true });
  }
  assert.equal(agent.transactions, 0);
}

for (const protocol of ['udp', 'tcp'] as const) {
  const mode = protocol === 'udp' ? 'u1' : 't1';

  test(`${protocol}: sipp calls us, ${calls} times`, async () => {
    await withAgent(protocol, async ({ agent, contact, port, directory }) => {
      let ended = 0;
      let acknowledged = 0;
      agent.on('invite', (invite) => {
        void invite.respond(180);
        invite.on('ack', () => {
          acknowledged += 1;
        });
        invite.accept({ contact, ...sdp }).on('ended', (reason) => {
          if (reason === 'remote') ended += 1;
        });
      });
      const local = await freePort(protocol);
      const args = `127.0.0.1:${port} -sn uac -t ${mode} -p ${local} -d 20 -r 50`;
      const { code, output } = await sipp(directory, args);
      assert.equal(code, 0, output);
      assert.deepEqual({ acknowledged, ended }, { acknowledged: calls, ended: calls }, output);
    });
  });

  test(`${protocol}: we call sipp, ${calls} times`, async () => {
    await withAgent(protocol, async ({ agent, transports, contact, directory }) => {
      const port = await freePort(protocol);
      const run = sipp(directory, `-sn uas -t ${mode} -p ${port}`);
      const target: Target = { protocol, host: '127.0.0.1', port };
      const one = async (): Promise<void> => {
        const { dialog } = await agent.invite({
          target,
          uri: `sip:service@127.0.0.1:${port}`,
          from: '<sip:ua@127.0.0.1>',
          contact,
          finalTimeoutMs: 20_000,
          ...sdp,
        });
        assert.equal((await dialog.bye())?.status, 200);
      };
      await listening(transports, target);
      for (let i = 0; i < calls; i += 4) await Promise.all([one(), one(), one(), one()]);
      const { code, output } = await run;
      assert.equal(code, 0, output);
    });
  });
}

/** Resolves when sipp listens. Over UDP there is nothing to ask: the first INVITE is repeated until it does. */
async function listening(transports: Transports, target: Target): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (let open = target.protocol === 'udp'; !open && Date.now() < deadline; ) {
    open = await transports.flow(target).then(
      () => true,
      () => false,
    );
  }
}
