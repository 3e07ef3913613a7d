// Check `edge`: the admin port of a drachtio-server beside signalling. Our own edge has its port from the system at each start.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { parseHostPort } from '@sidestream/service';
import { adviceFor } from './advice.js';
import { type Check, type Finding, fail, ok, skipped } from './check.js';
import type { Examined } from './examined.js';
import { reasonOf } from './reason.js';

const where = 'signalling.edge';
const maxAnswerBytes = 65_536;

export const edgeCheck: Check = {
  name: 'edge',
  about: 'an external drachtio-server: its admin port, the secret, its version, what it listens on',
  probes: ({ config: { signalling } }) => [
    {
      where,
      todo: 'start drachtio-server with what sidestream edge-config writes, or correct the address',
      run: (signal) =>
        signalling.edge === 'embedded'
          ? [skipped(where, 'it is our own: there is none to ask')]
          : ask(signalling.edge, signalling.edgeSecretFile, signal),
    },
  ],
};

async function ask(
  edge: string,
  secretFile: Examined['config']['signalling']['edgeSecretFile'],
  signal: AbortSignal,
): Promise<Finding[]> {
  if (secretFile === undefined)
    return [skipped(where, 'its secret is not in the configuration (SIDESTREAM_EDGE_SECRET_FILE names it)')];
  const secret = readFileSync(secretFile, 'utf8').trim();
  try {
    const answer = await authenticate(parseHostPort(edge.replace(/^tcp:\/\//, '')), secret, signal);
    return [judgeEdge(answer)];
  } catch (error) {
    signal.throwIfAborted();
    return [fail(where, reasonOf(error), adviceFor(error, { peer: 'drachtio-server', trust: '' }))];
  }
}

/** Fields of the answer to `authenticate`: OK, contacts, version; or NO and why. */
export function judgeEdge([verdict, said = '', version = '']: readonly string[]): Finding {
  if (verdict !== 'OK')
    return fail(
      where,
      'it refuses our secret',
      'give both the same file: sidestream edge-config writes it for the two',
    );
  const contacts = said.split(',').filter((contact) => contact !== '');
  if (contacts.length === 0)
    return fail(where, 'it listens for SIP nowhere', 'look at its log: the ports of its contacts may be taken');
  return ok(where, `drachtio-server ${version} listens on ${contacts.join(', ')}`);
}

/** A frame is its length, `#`, and fields between bars; the first answers are of ids that we have chosen. */
function authenticate(at: { host: string; port: number }, secret: string, signal: AbortSignal): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(at);
    let text = '';
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.on('error', () => undefined).destroy();
      settle();
    };
    const onAbort = () => end(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('close', () => end(() => reject(new Error('it ends the connection without an answer'))));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const answer = /\|response\|doctor\|([^\r\n]*)/.exec(text)?.[1];
      const length = Number(/^(\d{1,6})#/.exec(text)?.[1] ?? Number.NaN);
      const isWhole = Buffer.byteLength(text) >= length + String(length).length + 1;
      if (answer !== undefined && isWhole) end(() => resolve(answer.split('|')));
      else if (text.length > maxAnswerBytes || (Number.isNaN(length) && text.length > 7))
        end(() => reject(new Error('what answers is no drachtio-server')));
    });
    const body = `doctor|authenticate|${secret}|`;
    socket.once('connect', () => socket.write(`${Buffer.byteLength(body)}#${body}`));
  });
}
