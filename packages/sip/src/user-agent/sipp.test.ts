// Against Debian's sipp, so that both sides are not wrong in the same way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeTcpPort, freeUdpPort, runSipp, type SippResult, sippListens, sippMissing } from '@sidestream/peers';
import { formatHostPort } from '../message/host.js';
import type { Target } from '../transport/flow.js';
import { Transports } from '../transport/transports.js';
import { UserAgent } from './user-agent.js';

const calls = 20;
const skip = sippMissing();
const sdp = {
  body: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n',
  contentType: 'application/sdp',
};

/** Runs sipp to its end, which its own time-out bounds. */
function sipp(args: string): Promise<SippResult> {
  return runSipp(`${args} -i 127.0.0.1 -m ${calls} -timeout 30`.split(' '), AbortSignal.timeout(60_000));
}

function freePort(protocol: 'udp' | 'tcp'): Promise<number> {
  return protocol === 'udp' ? freeUdpPort() : freeTcpPort();
}

async function withAgent(
  protocol: 'udp' | 'tcp',
  work: (o: { agent: UserAgent; contact: string; port: number }) => Promise<void>,
): Promise<void> {
  const transports = new Transports();
  const { host, port } = await transports.listen({ protocol, host: '127.0.0.1', port: 0 });
  const agent = new UserAgent({ transports });
  try {
    await work({ agent, contact: `<sip:ua@${formatHostPort(host, port)};transport=${protocol}>`, port });
    assert.equal(agent.dialogs, 0);
  } finally {
    await agent.close();
    await transports.close();
  }
  assert.equal(agent.transactions, 0);
}

for (const protocol of ['udp', 'tcp'] as const) {
  const mode = protocol === 'udp' ? 'u1' : 't1';

  test(`${protocol}: sipp calls us, ${calls} times`, { skip }, async () => {
    await withAgent(protocol, async ({ agent, contact, port }) => {
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
      const { code, output } = await sipp(args);
      assert.equal(code, 0, output);
      assert.deepEqual({ acknowledged, ended }, { acknowledged: calls, ended: calls }, output);
    });
  });

  test(`${protocol}: we call sipp, ${calls} times`, { skip }, async () => {
    await withAgent(protocol, async ({ agent, contact }) => {
      const port = await freePort(protocol);
      const run = sipp(`-sn uas -t ${mode} -p ${port}`);
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
      await sippListens(protocol, port);
      for (let i = 0; i < calls; i += 4) await Promise.all([one(), one(), one(), one()]);
      const { code, output } = await run;
      assert.equal(code, 0, output);
    });
  });
}
