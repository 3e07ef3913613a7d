// Arrows point one way: test → cli → services, simulators → packages → proto. Checked over nx's project graph, which is made
// of what each package.json declares; so every import must be declared there. And domain/ does no I/O.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, relative } from 'node:path';
import { root, run } from './run.mjs';

/** What each layer may depend on. */
const allowed = {
  proto: [],
  package: ['package', 'proto'],
  service: ['package', 'proto'],
  simulator: ['package', 'proto'],
  cli: ['service', 'simulator', 'package', 'proto'],
  test: ['cli', 'service', 'simulator', 'package', 'proto'],
};

/** Node modules that a domain may use: they compute. node:net is for isIP and BlockList. */
const pureBuiltins = ['node:crypto', 'node:events', 'node:util', 'node:buffer', 'node:net'];

export function checkBoundaries() {
  const graph = projectGraph();
  const faults = [...layerFaults(graph), ...undeclaredImports(graph), ...domainFaults()];
  for (const fault of faults) console.error(`boundary: ${fault}`);
  if (faults.length > 0) process.exit(1);
}

function* layerFaults({ nodes, dependencies }) {
  const layerOf = (name) => nodes[name]?.data.tags.find((tag) => tag.startsWith('layer:'))?.slice('layer:'.length);
  for (const [name, edges] of Object.entries(dependencies)) {
    const layer = layerOf(name);
    if (layer === undefined || !(layer in allowed)) {
      if (nodes[name]?.data.root !== '.') yield `${name} has no layer tag`;
      continue;
    }
    for (const { target } of edges) {
      const targetLayer = layerOf(target);
      if (targetLayer === undefined) continue;
      if (!allowed[layer].includes(targetLayer))
        yield `${name} (${layer}) must not depend on ${target} (${targetLayer})`;
    }
  }
  yield* circles(dependencies, new Set(Object.keys(nodes)));
}

/** Imports of packages that the project's own package.json does not name: they work only by hoisting, and nx can't see them. */
function* undeclaredImports({ nodes }) {
  for (const { data } of Object.values(nodes)) {
    if (data.root === '.') continue;
    const manifest = join(data.root, 'package.json');
    const directory = join(root, data.root);
    const { name, dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(root, manifest), 'utf8'));
    for (const file of sources(directory, { tests: true })) {
      for (const specifier of importsOf(file)) {
        const [scope, rest] = specifier.split('/');
        const wanted = scope.startsWith('@') ? `${scope}/${rest}` : scope;
        if (specifier.startsWith('.') || specifier.startsWith('node:') || wanted === name) continue;
        if (wanted in dependencies || wanted in devDependencies) continue;
        yield `${relative(root, file)} imports '${wanted}', which ${manifest} does not declare`;
      }
    }
  }
}

function projectGraph() {
  const file = join(root, 'node_modules', '.cache', 'sidestream-graph.json');
  run('npx', ['--no-install', 'nx', 'graph', `--file=${relative(root, file)}`], { quiet: true });
  const { graph } = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  return graph;
}

function* circles(dependencies, projects) {
  const done = new Set();
  const visit = function* (name, path) {
    if (path.includes(name)) {
      yield `circle: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`;
      return;
    }
    if (done.has(name)) return;
    for (const { target } of dependencies[name] ?? []) if (projects.has(target)) yield* visit(target, [...path, name]);
    done.add(name);
  };
  for (const name of projects) yield* visit(name, []);
}

/** A service's domain/ imports its own room, packages and pure modules: no socket, no file, no process, no adapter. */
function* domainFaults() {
  for (const service of readdirSync(join(root, 'services'))) {
    const domain = join(root, 'services', service, 'src', 'domain');
    for (const file of sources(domain)) {
      for (const specifier of importsOf(file)) {
        const reason = domainFault(specifier);
        if (reason) yield `${relative(root, file)} imports '${specifier}': ${reason}`;
      }
    }
  }
}

function domainFault(specifier) {
  if (specifier.includes('/adapters/') || specifier.endsWith('/config.js'))
    return 'a domain must not know its adapters';
  const builtin = specifier.startsWith('node:') || builtinModules.includes(specifier);
  if (builtin && !pureBuiltins.includes(specifier)) return 'a domain does no I/O';
  if (['drachtio-srf', '@grpc/grpc-js', '@nats-io/transport-node'].includes(specifier)) return 'that is an adapter’s';
  return undefined;
}

function importsOf(file) {
  const text = readFileSync(file, 'utf8');
  const forms = /^(?:import|export|\}).*\bfrom '([^'\n]+)';|^import '([^'\n]+)';|\bimport\('([^'\n]+)'\)/gm;
  return [...text.matchAll(forms)].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic);
}

/** TypeScript sources under a directory, without what is generated or installed. */
function sources(directory, { tests = false } = {}) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .filter((name) => /\.tsx?$/.test(name) && (tests || !name.endsWith('.test.ts')))
    .filter((name) => !/(^|\/)(node_modules|dist|gen)\//.test(name))
    .map((name) => join(directory, name));
}

if (process.argv[1] === new URL(import.meta.url).pathname) checkBoundaries();
