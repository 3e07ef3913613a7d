// A DNS server on loopback that knows SRV records alone.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode, RECURSION_DESIRED } from 'dns-packet';

export interface SrvRecord {
  readonly priority?: number;
  readonly weight?: number;
  readonly port: number;
  readonly target: string;
}

export interface TestDns {
  /** `host:port`. */
  readonly address: string;
  /** By name; what is absent does not exist, and 'silent' gets no answer. */
  readonly records: Record<string, readonly SrvRecord[] | 'silent'>;
  /** The names that were asked for. */
  readonly asked: readonly string[];
  close(): void;
}

export async function startTestDns(records: TestDns['records']): Promise<TestDns> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const { id, questions = [] } = decode(bytes);
    const name = questions[0]?.name ?? '';
    asked.push(name);
    const found = records[name];
    if (found === 'silent') return;
    const answers = (found ?? []).map((data) => ({ type: 'SRV', name, ttl: 1, data }) as const);
    const nameError = 3;
    const flags = RECURSION_DESIRED | (found === undefined ? nameError : 0);
    socket.send(encode({ type: 'response', id: id ?? 0, flags, questions, answers }), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${socket.address().port}`, records, asked, close: () => socket.close() };
}
