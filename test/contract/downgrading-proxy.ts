// Between two services of today, one that speaks what the last release spoke: fields that it did not know are dropped both ways, methods
// that it did not have are not there. To either side the other one is of the last release.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import {
  Client,
  credentials,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { laboratoryServerName } from '@sidestream/cli';
import type { ContractVersion } from './contract-version.js';

export interface ProxyOptions {
  readonly release: ContractVersion;
  /** In full: `sidestream.media.v1.MediaRelayService`. */
  readonly service: string;
  /** Whom it stands for, and who calls: it shows their certificates. */
  readonly as: string;
  readonly caller: string;
  /** Where it listens and whom it asks, as `host:port`. */
  readonly listen: string;
  readonly behind: string;
  /** Beside which the keys of a laboratory are. */
  readonly configFile: string;
}

/** Starts it; it ends with the test. The counts are of requests by method, as they come. */
export async function startDowngradingProxy(t: TestContext, options: ProxyOptions): Promise<Map<string, number>> {
  const { release, service, as, caller, listen, behind, configFile } = options;
  const file = (name: string) => readFileSync(join(dirname(configFile), name));
  const ca = file('ca.crt');
  // By which the one behind is known; an address is no name that TLS may send.
  const name = { 'grpc.ssl_target_name_override': `${as}.${laboratoryServerName}` };
  const own = credentials.createSsl(ca, file(`${caller}.key`), file(`${caller}.crt`));
  const client = new Client(behind, own, name);
  const server = new Server();
  const asked = new Map<string, number>();
  const description = release.service(service);
  const handlers: UntypedServiceImplementation = {};
  for (const method of description.methods)
    handlers[method.name] =
      method.methodKind === 'server_streaming'
        ? (call: ServerWritableStream<Message, Message>) => {
            count(asked, method);
            forwardStream(client, definitionOf(release, description, method), call);
          }
        : (call: ServerUnaryCall<Message, Message>, done: sendUnaryData<Message>) => {
            count(asked, method);
            forwardUnary(client, definitionOf(release, description, method), call, done);
          };
  const definitions = description.methods.map((method) => [method.name, definitionOf(release, description, method)]);
  server.addService(Object.fromEntries(definitions), handlers);
  await new Promise<void>((resolve, reject) => {
    const pair = { private_key: file(`${as}.key`), cert_chain: file(`${as}.crt`) };
    const identity = ServerCredentials.createSsl(ca, [pair], true);
    server.bindAsync(listen, identity, (error) => (error ? reject(error) : resolve()));
  });
  t.after(() => {
    server.forceShutdown();
    client.close();
  });
  return asked;
}

type Definition = MethodDefinition<Message, Message>;

function definitionOf(
  release: ContractVersion,
  service: DescService,
  { name, input, output, methodKind }: DescMethod,
): Definition {
  return {
    path: `/${service.typeName}/${name}`,
    requestStream: false,
    responseStream: methodKind === 'server_streaming',
    requestSerialize: (message) => release.encode(input, message),
    requestDeserialize: (bytes) => release.decode(input, bytes),
    responseSerialize: (message) => release.encode(output, message),
    responseDeserialize: (bytes) => release.decode(output, bytes),
  };
}

function forwardUnary(
  client: Client,
  definition: Definition,
  call: ServerUnaryCall<Message, Message>,
  done: sendUnaryData<Message>,
) {
  const { path, requestSerialize, responseDeserialize } = definition;
  const options = { deadline: call.getDeadline() };
  const asking = client.makeUnaryRequest(
    path,
    requestSerialize,
    responseDeserialize,
    call.request,
    call.metadata,
    options,
    done,
  );
  call.on('cancelled', () => asking.cancel());
}

function forwardStream(client: Client, definition: Definition, call: ServerWritableStream<Message, Message>) {
  const { path, requestSerialize, responseDeserialize } = definition;
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    call.request,
    call.metadata,
  );
  stream.on('metadata', (metadata) => call.sendMetadata(metadata));
  stream.on('data', (message: Message) => call.write(message));
  stream.on('error', (error: ServiceError) => call.emit('error', error));
  stream.on('end', () => call.end());
  call.on('cancelled', () => stream.cancel());
}

function count(asked: Map<string, number>, { name }: DescMethod): void {
  asked.set(name, (asked.get(name) ?? 0) + 1);
}
