/** One attempt to speak to a peer in its own protocol: an open port alone does not prove that it is ready. */
import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';

/** Reads from a TCP server until `done` finds what it looks for in everything received so far (at most 64 kB). */
async function converse<T>(
  address: { host: string; port: number },
  greeting: string | undefined,
  done: (text: string) => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  const socket = connect(address);
  const abort = () => socket.destroy(new Error('no answer in time'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (greeting !== undefined) socket.write(greeting);
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      const found = done(text);
      if (found !== undefined) return found;
      if (text.length > 65_536) break;
    }
    throw new Error('the connection was closed without the expected answer');
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

/** A NATS server sends one line `INFO {json}` to each client as soon as it takes connections. */
export async function probeNats(address: { host: string; port: number }, signal: AbortSignal): Promise<void> {
  await converse(address, undefined, (text) => (/^INFO \{.*\}\s*\r\n/s.test(text) ? true : undefined), signal);
}

/** rtpengine's ng protocol: `<cookie> d7:command4:pinge` is answered with `<cookie> d6:result4:ponge`. */
export async function probeNg(address: { host: string; port: number }, signal: AbortSignal): Promise<void> {
  const socket = createSocket('udp4');
  try {
    socket.connect(address.port, address.host);
    await once(socket, 'connect', { signal });
    const cookie = randomUUID();
    socket.send(`${cookie} d7:command4:pinge`);
    // A closed port comes back as ECONNREFUSED on the connected socket, which `once` rejects with.
    const [answer] = await once(socket, 'message', { signal });
    if (!String(answer).startsWith(`${cookie} `) || !String(answer).includes('4:pong')) {
      throw new Error('unexpected answer to ping');
    }
  } finally {
    socket.close();
  }
}

/** drachtio-server's admin protocol: authenticates and returns the SIP contacts that it listens on, `udp/host:port` each. */
export async function probeDrachtio(
  address: { host: string; port: number },
  secret: string,
  signal: AbortSignal,
): Promise<string[]> {
  const body = `${randomUUID()}|authenticate|${secret}|`;
  const found = await converse(
    address,
    `${Buffer.byteLength(body)}#${body}`,
    (text) => /\|response\|[^|]*\|(OK|NO)\|([^|]*)/.exec(text) ?? undefined,
    signal,
  );
  if (found[1] !== 'OK') throw new Error(`authentication was refused: ${found[2] ?? ''}`);
  const contacts = (found[2] ?? '').split(',').filter((contact) => contact !== '');
  // The admin port opens before those for SIP.
  if (contacts.length === 0) throw new Error('it does not listen for SIP yet');
  return contacts;
}
