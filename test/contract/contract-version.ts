// The contract as another version has it: its schema read at run time, so that nothing of today's generated code helps.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createFileRegistry,
  type DescMessage,
  type DescService,
  type FileRegistry,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What a next minor version may add: fields, values of enums, kinds of events. */
const additions: readonly (readonly [after: string, added: string])[] = [
  ['  oneof body {\n', '    Weather weather = 900;\n'],
  ['enum Result {\n', '  // In its own words.\n  RESULT_TOMORROW = 90;\n'],
  ['message Termination {\n', '  repeated Weather forecast = 900;\n'],
  ['message CallStarted {\n', '  string colour = 900;\n  Weather weather = 901;\n'],
  ['message CallEnded {\n', '  string colour = 900;\n  map<string, Weather> weather = 901;\n'],
];
const addition = '\nmessage Weather {\n  string call_id = 1;\n  double degrees = 2;\n}\n';

/** Messages of one version; what it does not know of a message is dropped, as generated code drops it. */
export class ContractVersion {
  readonly #registry: FileRegistry;

  private constructor(registry: FileRegistry) {
    this.#registry = registry;
  }

  static lastRelease(): ContractVersion {
    return ContractVersion.#of('test/contract/0.1');
  }

  /** Today's, with additions. */
  static nextRelease(): ContractVersion {
    const directory = mkdtempSync(join(tmpdir(), 'sidestream-contract-'));
    try {
      cpSync(join(root, 'proto', 'sidestream'), join(directory, 'sidestream'), { recursive: true });
      cpSync(join(root, 'proto', 'buf.yaml'), join(directory, 'buf.yaml'));
      const file = join(directory, 'sidestream', 'events', 'v1', 'events.proto');
      let text = readFileSync(file, 'utf8');
      for (const [after, added] of additions) {
        assert.ok(text.includes(after), after);
        // The first value of an enum is 0: what is added comes after it.
        text = after.startsWith('enum')
          ? text.replace(/(enum Result \{\n.*\n)/, `$1${added}`)
          : text.replace(after, after + added);
      }
      writeFileSync(file, text + addition);
      return ContractVersion.#of(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  static #of(directory: string): ContractVersion {
    const args = ['build', directory, '--output', '-#format=binpb'];
    const { status, stdout, stderr } = spawnSync('node_modules/.bin/buf', args, { cwd: root, timeout: 60_000 });
    assert.equal(status, 0, String(stderr));
    return new ContractVersion(createFileRegistry(fromBinary(FileDescriptorSetSchema, stdout)));
  }

  message(name: string): DescMessage {
    const found = this.#registry.getMessage(name);
    assert.ok(found, name);
    return found;
  }

  service(name: string): DescService {
    const found = this.#registry.getService(name);
    assert.ok(found, name);
    return found;
  }

  /** What this version reads of these bytes. */
  decode(schema: DescMessage, bytes: Uint8Array): Message {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  }

  encode(schema: DescMessage, message: Message): Buffer {
    return Buffer.from(toBinary(schema, message));
  }

  /** What a reader of this version passes on of a message: bytes without what it does not know. */
  passOn(name: string, bytes: Uint8Array): Buffer {
    const schema = this.message(name);
    return this.encode(schema, this.decode(schema, bytes));
  }

  /** Bytes of a message that is given as JSON; a key that this version does not know is an error. */
  write(name: string, json: JsonValue): Buffer {
    const schema = this.message(name);
    return this.encode(schema, fromJson(schema, json, { registry: this.#registry }));
  }
}
