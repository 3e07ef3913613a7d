// Are these objects what Kubernetes takes? Their validators find wrong and missing values; the compiler, with each object as a
// literal of its interface, finds keys that no schema has, at any depth.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Manifest } from './helm.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const compiler = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url));

const packages: Readonly<Record<string, string>> = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/',
  'cert-manager.io': '@kubernetes-models/cert-manager/',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api/',
  'external-secrets.io': '@kubernetes-models/external-secrets/',
  'keda.sh': '@kubernetes-models/keda/',
};

/** Versions that no package for Node 20 has; external-secrets.io/v1 is v1beta1 made stable, the same for what the chart says. */
const sameShape: Readonly<Record<string, string>> = { 'external-secrets.io/v1': 'external-secrets.io/v1beta1' };

const named = { group: z.string(), kind: z.string(), name: z.string().min(1) };

/** BackendTLSPolicy of Gateway API 1.1 to 1.3 (v1alpha3) and since 1.4 (v1): no package that runs on Node 20 has it. */
const backendTlsPolicy = z.strictObject({
  apiVersion: z.enum(['gateway.networking.k8s.io/v1', 'gateway.networking.k8s.io/v1alpha3']),
  kind: z.literal('BackendTLSPolicy'),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.strictObject({
    targetRefs: z
      .array(z.strictObject({ ...named, sectionName: z.string().optional() }))
      .min(1)
      .max(16),
    validation: z.strictObject({
      caCertificateRefs: z.array(z.strictObject(named)).min(1).max(8),
      hostname: z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/),
    }),
  }),
});

/** Every fault of the objects, each with what it is in. */
export async function schemaFaults(objects: readonly Manifest[]): Promise<string[]> {
  const distinct = [...new Map(objects.map((object) => [JSON.stringify(object), object])).values()];
  const invalid: string[] = [];
  for (const object of distinct) {
    const fault = await validated(object);
    if (fault !== undefined) invalid.push(`${nameOf(object)}: ${fault}`);
  }
  return [...invalid, ...compiled(distinct.filter(({ kind }) => kind !== 'BackendTLSPolicy'))];
}

function moduleOf({ apiVersion, kind }: Manifest): string {
  const prefix = packages[apiVersion.split('/')[0] ?? ''] ?? 'kubernetes-models/';
  return `${prefix}${sameShape[apiVersion] ?? apiVersion}/${kind}`;
}

const asShaped = (object: Manifest): Manifest => ({
  ...object,
  apiVersion: sameShape[object.apiVersion] ?? object.apiVersion,
});

const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;

const model = z.custom<new (data: unknown) => { validate(): void }>((value) => typeof value === 'function');

async function validated(object: Manifest): Promise<string | undefined> {
  try {
    if (object.kind === 'BackendTLSPolicy') {
      const { error } = backendTlsPolicy.safeParse(object);
      return error && z.prettifyError(error);
    }
    const found: Record<string, unknown> = await import(moduleOf(object));
    new (model.parse(found[object.kind]))(asShaped(object)).validate();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function compiled(objects: readonly Manifest[]): string[] {
  if (objects.length === 0) return [];
  const folder = mkdtempSync(join(here, 'rendered-'));
  try {
    const lines = objects.flatMap((object, index) => [
      `import type { I${object.kind} as T${index} } from '${moduleOf(object)}';`,
      `export const ${`o${index}`}: T${index} = ${JSON.stringify(asShaped(object))};`,
    ]);
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
    writeFileSync(join(folder, 'objects.ts'), lines.join('\n'));
    const strict = { noEmit: true, strict: true, skipLibCheck: true, module: 'node16', moduleResolution: 'node16' };
    const options = { ...strict, types: [], target: 'es2022' };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['objects.ts'] }));
    const { status, stdout, stderr, error } = spawnSync(compiler, ['-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      timeout: 120_000,
      maxBuffer: 64 << 20,
    });
    if (status === 0) return [];
    const faults = stdout.split('\n').filter((line) => line.includes('error TS'));
    if (faults.length === 0) return [`the compiler said nothing useful: ${stdout}${stderr}${String(error)}`];
    return faults.map((line) => {
      const [, number] = /objects\.ts\((\d+),/.exec(line) ?? [];
      const object = objects[Math.floor((Number(number) - 1) / 2)];
      return `${object ? nameOf(object) : 'objects'}: ${line.replace(/^.*error TS/, 'TS')}`;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
